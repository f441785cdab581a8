/** Redacts known secret values in texts, in any encoding. */

/** The minimum length: shorter values occur in ordinary words. */
export const SHORTEST_SECRET = 4

/** Values that have the same encoding in URLs, forms and JSON. */
const PLAIN = /^[\w.~-]+$/

const HIDDEN = '[redacted]'

/** The encodings of a value: plain, in URLs (RFC 3986, 2.1), in forms and in JSON. */
export function spellingsOf(secret: string): readonly string[] {
  if (PLAIN.test(secret)) return [secret]
  const wellFormed = secret.toWellFormed()
  const inForms = new URLSearchParams([['', wellFormed]]).toString().slice(1)
  const inUrls = [encodeURI(wellFormed), encodeURIComponent(wellFormed), inForms]
  const inJson = JSON.stringify(secret).slice(1, -1)
  return [
    ...[secret, wellFormed, ...inUrls, ...inUrls.map(lowerCaseEscapes)],
    ...[inJson, inJson.replaceAll('/', '\\/')],
  ]
}

/** A URL-encoded text as serializers of .NET write it: `%2b` (RFC 3986, 2.1 permits both). */
export function lowerCaseEscapes(encoded: string): string {
  return encoded.replace(/%[\dA-F]{2}/g, (found) => found.toLowerCase())
}

/** Creates a function that redacts all encodings of the secrets in a text, longest first. */
export function createHideSecrets(secrets: readonly string[]): (text: string) => string {
  const spellings = secretSpellings(secrets).map(([spelling]) => spelling)
  if (spellings.length === 0) return (text) => text
  spellings.sort((one, other) => other.length - one.length)
  return (text) =>
    spellings.reduce(
      (hidden, spelling) =>
        hidden.includes(spelling) ? hidden.replaceAll(spelling, HIDDEN) : hidden,
      text,
    )
}

/** Every encoding, with its replacement. */
export function secretSpellings(
  secrets: readonly string[],
): readonly (readonly [spelling: string, shown: string])[] {
  const long = secrets.filter((secret) => secret.length >= SHORTEST_SECRET)
  return [...new Set(long.flatMap(spellingsOf))].map((spelling) => [spelling, HIDDEN] as const)
}
