/**
 * Canonical request targets, so that guards and routers agree on them (parser differential), and the
 * route pattern of each: a label of bounded cardinality for metrics.
 */

import type { IncomingMessage } from 'node:http'
import { METADATA_PATH, type Resource } from '../auth/resources.ts'
import { AppError } from '../errors.ts'

/** Absolute form, dot segments, percent-encoding, and characters that URL parsers rewrite. */
const UNUSUAL = /^[^/]|[\\#]|\/\.|%/
const PERCENT_ENCODED = /%([0-9a-f]{2})/gi
const UNRESERVED = /^[\w.~-]$/

/**
 * Normalizes `request.url` in place: decodes unreserved characters, removes dot segments (RFC
 * 3986, 6.2.2) and converts the absolute form to the origin form; its authority replaces the Host
 * header (RFC 9112, 3.2.2). Leaves everything else: `//token` and `/TOKEN` are different paths.
 * @throws AppError `invalid_request` for an invalid target
 */
export function normalizeTarget(request: Pick<IncomingMessage, 'url' | 'headers'>): void {
  const { url = '/' } = request
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  if (!UNUSUAL.test(path)) return
  // Asterisk form, which addresses the whole server (RFC 9112, 3.2.4); matches no route.
  if (url === '*') return
  const decoded = path.replaceAll(PERCENT_ENCODED, decodeUnreserved)
  const target = parse(decoded.startsWith('/') ? `http://localhost${decoded}` : decoded)
  if (!decoded.startsWith('/')) request.headers.host = target.host
  request.url = target.pathname + (end === -1 ? '' : url.slice(end))
}

function decodeUnreserved(encoded: string, hex: string): string {
  const character = String.fromCharCode(Number.parseInt(hex, 16))
  return UNRESERVED.test(character) ? character : encoded
}

function parse(target: string): URL {
  if (/^(?:https?:\/)?\//i.test(target) && URL.canParse(target)) return new URL(target)
  throw new AppError('invalid_request', 'The request target is invalid.')
}

/** Prefixes that RFC 8414, section 3.1, and RFC 9728, section 3.1, insert before a path. */
const WELL_KNOWN = /^\/\.well-known\/(?:oauth-authorization-server|oauth-protected-resource)/

const stripped = new WeakSet<object>()

/**
 * Removes the base path from the URL in place; idempotent. Leaves URLs without it: a proxy may have
 * removed the prefix already, and probes address the node directly.
 */
export function stripBasePath(request: Pick<IncomingMessage, 'url'>, basePath: string): void {
  if (basePath === '' || stripped.has(request)) return
  const { url = '/' } = request
  const inserted = WELL_KNOWN.exec(url)?.[0] ?? ''
  const rest = url.slice(inserted.length)
  if (!rest.startsWith(basePath) || !/^(?:$|[/?])/.test(rest.slice(basePath.length))) return
  stripped.add(request)
  const below = inserted + rest.slice(basePath.length)
  request.url = below.startsWith('/') ? below : `/${below}`
}

const ENDPOINT = new RegExp(`^((?:${METADATA_PATH})?(?:/(?:mcp|http|sse)))/(?=\\?|$)`)

const withSlash = new WeakSet<object>()

/**
 * Removes a trailing slash from an endpoint's path in place. A redirect would break clients, which
 * do not repeat the POST or drop its `Authorization`.
 */
export function dropTrailingSlash(request: Pick<IncomingMessage, 'url'>): void {
  const { url = '/' } = request
  const bare = url.replace(ENDPOINT, '$1')
  if (bare === url) return
  withSlash.add(request)
  request.url = bare
}

/**
 * The resource with the request's trailing slash and query: strict clients compare it with the URL
 * that they were given (RFC 9728, 3.3).
 */
export function asRequested(request: Pick<IncomingMessage, 'url'>, resource: Resource): Resource {
  const { url, metadataUrl, echoesQuery } = resource
  const query = echoesQuery === true ? echoedQuery(request.url ?? '') : ''
  const suffix = withSlash.has(request) ? `/${query}` : query
  if (suffix === '') return resource
  return { ...resource, url: url + suffix, metadataUrl: metadataUrl + suffix }
}

/** RFC 3986, 3.4: characters that a quoted string of a header may hold unescaped. */
const ECHOED_QUERY = /^[\w\-.~:/?@!$&'()*+,;=%]{1,1024}$/
/** The parameter of `/sse` that identifies a caller; not part of a resource. */
const SESSION_PARAMETER = 'session_id'

function echoedQuery(url: string): string {
  const start = url.indexOf('?')
  if (start === -1) return ''
  const query = url.slice(start + 1)
  if (!ECHOED_QUERY.test(query) || new URLSearchParams(query).has(SESSION_PARAMETER)) return ''
  return `?${query}`
}

export type RouteOf = (url: string) => string

/** `patterns` use Hono's syntax (`:name`); a mount matches its path and everything below. */
export function createRouteOf(patterns: readonly string[], mounts: readonly string[]): RouteOf {
  const all = [...new Set(patterns)].filter((pattern) => !pattern.includes('*'))
  const exact = new Set([...all.filter((pattern) => !pattern.includes(':')), ...mounts])
  const variable = all.filter((pattern) => pattern.includes(':')).map(toRegExp)
  const prefixes = mounts.map((mount) => `${mount}/`)

  return (url) => {
    const path = pathOf(url)
    if (exact.has(path)) return path
    const known = variable.find(({ form }) => form.test(path))?.pattern
    if (known !== undefined) return known
    const mount = prefixes.find((prefix) => path.startsWith(prefix))
    return mount === undefined ? 'unknown' : `${mount}*`
  }
}

/** The decoded path, as Hono matches it: `/%6dcp` is `/mcp`. */
function pathOf(url: string): string {
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  if (!path.includes('%')) return path
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

function toRegExp(pattern: string) {
  const form = pattern.replaceAll(/:\w+/g, '[^/]+')
  return { pattern, form: new RegExp(`^${form}$`) }
}
