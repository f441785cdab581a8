/** Where a client may have people sent back to (RFC 8252, OAuth 2.1 section 2.3). */

import { UNSAFE_SCHEMES } from '../config/unsafe-schemes.ts'

/** What a person is told about where they are sent. */
export type RedirectTarget =
  | { readonly kind: 'https' | 'loopback'; readonly host: string }
  | { readonly kind: 'app'; readonly scheme: string }

const LONGEST = 2048
/**
 * RFC 3986, appendix A, without `#` and `*`: no fragment, no wildcard, no backslash, no control.
 */
const CHARACTERS = /^[\w\-.~:/?[\]@!$&'()+,;=%]+$/
/** `%` that escapes nothing, and escaped controls. */
const BAD_ESCAPE = /%(?![\da-f]{2})|%[01][\da-f]|%7f/i
/** In a path, what some parsers take for `.`, `/`, `\` or `%` and others do not. */
const TRICKY_ESCAPE = /%(?:2e|2f|5c|25)/i
/** http at the machine itself: the three names of RFC 8252, section 7.3 and 8.3, and no other. */
const LOOPBACK = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/
const HOST = /^(?:(?:[a-z\d_-]+\.)*[a-z\d_-]+|\[[\da-f:]+\])$/
/**
 * RFC 6749, section 4.1.2, and RFC 9207: one in the query already could be taken for the answer's.
 */
const ANSWER = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri']

/**
 * Why a client may not register this redirect URI; undefined when it may. Allowed are https, http
 * on loopback with any port, and custom schemes of the list.
 *
 * Only canonical spellings pass: what parsers could read in two ways (`https:/host`, `HOST`, `..`,
 * `0x7f.1`, a tab in the scheme) is not the same once it was parsed and written again.
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
  // RFC 8252, section 7.1: a path follows. Without one the rest could be anything, even a script.
  return uri.startsWith(`${scheme}:/`) ? undefined : 'must have a path after the scheme'
}

/**
 * Where a registered redirect URI leads, for the page that asks a person.
 * @throws TypeError for what is no URI
 */
export function describeTarget(uri: string): RedirectTarget {
  const { protocol, host } = new URL(uri)
  if (protocol === 'https:') return { kind: 'https', host }
  if (LOOPBACK.test(uri)) return { kind: 'loopback', host }
  return { kind: 'app', scheme: protocol.slice(0, -1) }
}

/** RFC 8252, section 7.3: the port of a loopback address makes no difference. */
export function withoutLoopbackPort(uri: string): string {
  return uri.replace(LOOPBACK, '$1')
}

/**
 * As a parser writes it: with the slash that may be left out, without a loopback address's port.
 */
function spelledOut(uri: string): string {
  const [, port] = /^http:\/\/[^/?]*?(:\d+)(?=[/?]|$)/.exec(uri) ?? []
  // Port 80 is left out by parsers; on loopback it is a port like any other.
  const given = port === ':80' ? withoutLoopbackPort(uri) : uri
  return given.replace(/^(https?:\/\/[^/?]+)(?=\?|$)/, '$1/')
}

function authorityOf(uri: string): string {
  return /^[^:]+:\/\/([^/?]*)/.exec(uri)?.[1] ?? ''
}
