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
const PATTERNS: readonly (readonly [pattern: RegExp, replacement: string, needs: string])[] = [
  // RFC 6750, section 2.1, and RFC 7617.
  [/((?:Bearer|Basic|DPoP) +)[A-Za-z0-9._~+/-]{6,}=*/gi, '$1[redacted]', ' '],
  [/(\/connect\/)[\w~.%-]+/g, '$1[redacted]', '/connect/'],
  [new RegExp(`((?:${SECRET_NAMES})=)${VALUE}`, 'gi'), '$1[redacted]', '='],
  [
    new RegExp(`(\\\\"(?:${SECRET_NAMES}|${WORDS})\\\\+"\\s*:\\s*\\\\+")[^"\\\\]+`, 'gi'),
    '$1[redacted]',
    '\\"',
  ],
  [/(:\/\/[^\s/:@"\\]*:)[^\s/@"\\]+@/g, '$1[redacted]@', '://'],
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

/**
 * Hides what looks like a secret. Made for lines of JSON: what comes out is JSON again. Patterns that
 * need a character which the line has not are left out, which is most of them for most lines.
 */
export function redactText(line: string): string {
  let redacted = line
  for (const [pattern, replacement, needs] of PATTERNS) {
    if (redacted.includes(needs)) redacted = redacted.replace(pattern, replacement)
  }
  if (redacted.includes('=')) redacted = redacted.replace(PARAMETERS, redactParameter)
  if (redacted.includes('eyJ')) redacted = redacted.replace(JWTS, redactJwt)
  return redacted.replace(IDS, (id, kind) => `${kind}_#${shortHash(id)}`)
}

function redactParameter(found: string, before: string, name: string, after: string): string {
  return before + after === '' ? found : `${before}${name}[redacted]${after}`
}

function redactJwt(run: string, rest: string | undefined): string {
  return rest === undefined ? run : '[redacted]'
}
