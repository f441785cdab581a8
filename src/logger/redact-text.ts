/** Hides secrets by their form, in a whole line: messages, stack traces, URLs, keys alike. */

import { shortHash } from '../crypto/hash.ts'

/** Names that stand for secrets wherever they stand in a query string, a form or quoted JSON. */
const SECRET_NAMES = [
  'access_token',
  'refresh_token',
  'id_token',
  'code_verifier',
  'client_secret',
  'client_assertion',
  'password',
  'api_?key',
].join('|')

/** Names that are ordinary words too: secret among other parameters, harmless in a sentence. */
const WORDS = 'code|state|token|secret|assertion'

const VALUE = `[^&;#\\s"'\\\\]+`

/**
 * What a line of JSON may hold. No pattern needs a word boundary, since `\n` before a secret is
 * written as a backslash and an `n`.
 */
const PATTERNS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // RFC 6750, section 2.1, and RFC 7617.
  [/((?:Bearer|Basic|DPoP) +)[A-Za-z0-9._~+/-]{6,}=*/gi, '$1[redacted]'],
  [/(\/connect\/)[\w~.%-]+/g, '$1[redacted]'],
  [new RegExp(`((?:${SECRET_NAMES})=)${VALUE}`, 'gi'), '$1[redacted]'],
  [
    new RegExp(`(\\\\"(?:${SECRET_NAMES}|${WORDS})\\\\+"\\s*:\\s*\\\\+")[^"\\\\]+`, 'gi'),
    '$1[redacted]',
  ],
  [/(:\/\/[^\s/:@"\\]*:)[^\s/@"\\]+@/g, '$1[redacted]@'],
]

/** Followed or led by another parameter. Read as a whole, so that each letter is looked at once. */
const PARAMETERS = new RegExp(`([?&"]?)((?:${WORDS})=)${VALUE}(&?)`, 'gi')

/**
 * RFC 7519: three parts, the first of which is a JSON object. The rest is optional so that a run
 * of letters is looked at once, however long it is.
 */
const JWTS = /eyJ[\w-]+(\.[\w-]+\.[\w-]*)?/g

/** Ids of 256 bits (`ses_…`, `con_…`) stay recognisable by a hash; see `createId`. */
const IDS = /([a-z]{2,3})_([\w-]{43,})/g

/** Hides what looks like a secret. Made for lines of JSON: what comes out is JSON again. */
export function redactText(line: string): string {
  let redacted = line
  for (const [pattern, replacement] of PATTERNS) redacted = redacted.replace(pattern, replacement)
  return redacted
    .replace(PARAMETERS, (found, before, name, after) =>
      before + after === '' ? found : `${before}${name}[redacted]${after}`,
    )
    .replace(JWTS, (run, rest) => (rest === undefined ? run : '[redacted]'))
    .replace(IDS, (id, kind) => `${kind}_#${shortHash(id)}`)
}
