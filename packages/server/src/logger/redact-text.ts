/** Redacts secrets by pattern in a whole line: messages, stack traces, URLs and keys. */

import { shortHash } from '../crypto/hash.ts'

/** Names that always denote secrets in a query string, a form or quoted JSON. */
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

/** Names that are also ordinary words: secret among other parameters, harmless in prose. */
const WORDS = 'code|state|token|secret|assertion'

const VALUE = `[^&;#\\s"'\\\\]+`

/**
 * Patterns for JSON lines. None requires a word boundary, since `\n` before a secret is written as
 * a backslash and an `n`.
 */
const PATTERNS: readonly (readonly [pattern: RegExp, replacement: string, needs: string])[] = [
  // RFC 6750, section 2.1, and RFC 7617.
  [/((?:Bearer|Basic|DPoP) +)[A-Za-z0-9._~+/-]{6,}=*/gi, '$1[redacted]', ' '],
  // Personal access tokens, also cut off.
  [/(mcp_pat_)[0-9A-Za-z]+/g, '$1[redacted]', 'mcp_pat_'],
  [/(\/connect\/)[\w~.%-]+/g, '$1[redacted]', '/connect/'],
  [new RegExp(`((?:${SECRET_NAMES})=)${VALUE}`, 'gi'), '$1[redacted]', '='],
  [
    new RegExp(`(\\\\"(?:${SECRET_NAMES}|${WORDS})\\\\+"\\s*:\\s*\\\\+")[^"\\\\]+`, 'gi'),
    '$1[redacted]',
    '\\"',
  ],
  [/(:\/\/[^\s/:@"\\]*:)[^\s/@"\\]+@/g, '$1[redacted]@', '://'],
]

/**
 * Preceded or followed by another parameter. Matches the whole pair, which visits each character
 * once (no ReDoS).
 */
const PARAMETERS = new RegExp(`([?&"]?)((?:${WORDS})=)${VALUE}(&?)`, 'gi')

/**
 * RFC 7519: three parts, the first of which is a JSON object. The rest is optional, so that the
 * pattern visits each character of a long run once (no ReDoS).
 */
const JWTS = /eyJ[\w-]+(\.[\w-]+\.[\w-]*)?/g

/**
 * Replaces ids of 256 bits (`ses_…`, `con_…`) with a hash, which keeps them recognisable; see
 * `createId`.
 */
const IDS = /([a-z]{2,3})_([\w-]{43,})/g

/**
 * Redacts what looks like a secret in a JSON line; the result is valid JSON. Skips patterns whose
 * required character the line lacks, which is most of them for most lines.
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
