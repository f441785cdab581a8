/** How clients are called on pages: they choose their names themselves, and may choose them to deceive. */

/** Characters; no more fits on the page. */
const LONGEST_NAME = 80

/**
 * A name without what nobody sees: control characters, and those that turn or hide text (Unicode
 * Standard Annex 9, "Security Considerations"). `otherwise` where nothing is left.
 */
export function clientNameOnPage(name: string | undefined, otherwise: string): string {
  const visible = (name ?? '')
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, '')
    .replace(/ +/g, ' ')
    .trim()
  return [...visible].slice(0, LONGEST_NAME).join('') || otherwise
}
