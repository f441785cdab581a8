/** Sanitizes client names for pages: clients choose them freely, possibly to deceive (spoofing). */

/** Maximum number of characters that fit on the page. */
const LONGEST_NAME = 80

/** U+2800 is Braille without dots. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu

/**
 * Removes invisible characters: control, bidirectional and format characters, which reorder or hide
 * text (Unicode Standard Annex 9, "Security Considerations"), and letters and symbols without a
 * glyph, such as the Hangul fillers, of which a blank name could consist. Returns `otherwise` for an
 * empty result.
 */
export function clientNameOnPage(name: string | undefined, otherwise: string): string {
  const visible = (name ?? '')
    .replace(/\s+/gu, ' ')
    .replace(INVISIBLE, '')
    .replace(/ +/g, ' ')
    .trim()
  return [...visible].slice(0, LONGEST_NAME).join('') || otherwise
}
