/** Validates redirect URIs at registration (RFC 8252, OAuth 2.1 section 2.3). */

import { UNSAFE_SCHEMES } from '../config/unsafe-schemes.ts'

/** The target of a redirect URI, as the consent page shows it. */
export type RedirectTarget =
  | { readonly kind: 'https' | 'loopback'; readonly host: string }
  | { readonly kind: 'app'; readonly scheme: string }

const LONGEST = 2048
/**
 * RFC 3986, appendix A, without `#` and `*`: no fragment, wildcard, backslash or control character.
 */
const CHARACTERS = /^[\w\-.~:/?[\]@!$&'()+,;=%]+$/
/** An incomplete percent-encoding, or an encoded control character. */
const BAD_ESCAPE = /%(?![\da-f]{2})|%[01][\da-f]|%7f/i
/** Encoded `.`, `/`, `\` and `%`, which parsers decode differently in a path (path traversal). */
const TRICKY_ESCAPE = /%(?:2e|2f|5c|25)/i
/** http on a loopback host: only the three names of RFC 8252, sections 7.3 and 8.3. */
const LOOPBACK = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/
const HOST = /^(?:(?:[a-z\d_-]+\.)*[a-z\d_-]+|\[[\da-f:]+\])$/
/**
 * Authorization response parameters (RFC 6749, section 4.1.2, and RFC 9207): a client could mistake
 * one that the redirect URI contains for one of the response.
 */
const ANSWER = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri']

/**
 * Why a client may not register this redirect URI; undefined if it may. Permits https, http on
 * loopback with any port, and the custom schemes in `schemes`.
 *
 * Accepts canonical URIs only: a URI that parsers could read differently (`https:/host`, `HOST`,
 * `..`, `0x7f.1`, a tab in the scheme) changes when it is parsed and serialized.
 * @param schemes without the colon, such as `cursor`
 */
export function redirectUriFault(uri: string, schemes: readonly string[]): string | undefined {
  if (uri.length > LONGEST) return `must have ${LONGEST} characters at most`
  if (!CHARACTERS.test(uri)) {
    return 'must hold only characters of a URI, without fragment and wildcard'
  }
  if (BAD_ESCAPE.test(uri)) return 'must not escape controls'
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url === undefined || url.href !== spelledOut(uri)) return 'must be an absolute canonical URI'
  if (url.username !== '' || url.password !== '' || authorityOf(uri).includes('@')) {
    return 'must not hold credentials'
  }
  if (TRICKY_ESCAPE.test(url.pathname)) return 'must not escape dots, slashes or percent signs'
  if (ANSWER.some((name) => url.searchParams.has(name))) {
    return 'must not hold parameters of the answer'
  }
  return schemeFault(url, uri, schemes)
}

function schemeFault(url: URL, uri: string, schemes: readonly string[]): string | undefined {
  if (url.protocol === 'http:') {
    return LOOPBACK.test(uri) ? undefined : 'must use https, except on a loopback address'
  }
  if (url.protocol === 'https:') {
    if (LOOPBACK_HOST.test(url.hostname)) return 'must use http on a loopback address'
    return HOST.test(url.hostname) ? undefined : 'must name a host'
  }
  const scheme = url.protocol.slice(0, -1)
  if (UNSAFE_SCHEMES.has(scheme)) return 'must use a scheme that is allowed'
  if (!schemes.includes(scheme)) {
    return `must use a scheme that is allowed: ${scheme} is not in OAUTH_REDIRECT_SCHEMES`
  }
  // RFC 8252, section 7.1: requires a path, since the rest could otherwise be a script.
  return uri.startsWith(`${scheme}:/`) ? undefined : 'must have a path after the scheme'
}

/**
 * The target of a registered redirect URI, for the consent page.
 * @throws TypeError for an invalid URI
 */
export function describeTarget(uri: string): RedirectTarget {
  const { protocol, host } = new URL(uri)
  if (protocol === 'https:') return { kind: 'https', host }
  if (LOOPBACK.test(uri)) return { kind: 'loopback', host }
  return { kind: 'app', scheme: protocol.slice(0, -1) }
}

/**
 * Removes the port of a loopback redirect URI, which comparisons ignore (RFC 8252, section 7.3).
 */
export function withoutLoopbackPort(uri: string): string {
  return uri.replace(LOOPBACK, '$1')
}

/** As `URL` serializes it: adds an omitted `/` path, and removes port 80 of a loopback address. */
function spelledOut(uri: string): string {
  const [, port] = /^http:\/\/[^/?]*?(:\d+)(?=[/?]|$)/.exec(uri) ?? []
  // `URL` omits port 80, which is an ordinary port on loopback.
  const given = port === ':80' ? withoutLoopbackPort(uri) : uri
  return given.replace(/^(https?:\/\/[^/?]+)(?=\?|$)/, '$1/')
}

function authorityOf(uri: string): string {
  return /^[^:]+:\/\/([^/?]*)/.exec(uri)?.[1] ?? ''
}
