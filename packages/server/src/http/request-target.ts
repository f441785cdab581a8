/** One spelling for each request target, so that guards and routers cannot read it differently. */

import type { IncomingMessage } from 'node:http'
import { METADATA_PATH, type Resource } from '../auth/resources.ts'
import { AppError } from '../errors.ts'

/** Absolute form, dot segments, percent-encoding, and what URL parsers replace or cut off. */
const UNUSUAL = /^[^/]|[\\#]|\/\.|%/
const PERCENT_ENCODED = /%([0-9a-f]{2})/gi
const UNRESERVED = /^[\w.~-]$/

/**
 * Normalizes `request.url` in place (RFC 3986, 6.2.2: unreserved characters are decoded, dot segments
 * removed) and makes the origin form of an absolute one, whose authority replaces the Host header
 * (RFC 9112, 3.2.2). Everything else stays as it was sent: `//token` and `/TOKEN` are other paths.
 * @throws AppError `invalid_request` for what is no target of this server
 */
export function normalizeTarget(request: Pick<IncomingMessage, 'url' | 'headers'>): void {
  const { url = '/' } = request
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  if (!UNUSUAL.test(path)) return
  // For the server as a whole (RFC 9112, 3.2.4); no route has it.
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
  throw new AppError('invalid_request', 'The request target is not valid.')
}

/** What RFC 8414, section 3.1, and RFC 9728, section 3.1, insert before a path. */
const WELL_KNOWN = /^\/\.well-known\/(?:oauth-authorization-server|oauth-protected-resource)/

const stripped = new WeakSet<object>()

/**
 * Removes the path in place, once. What comes without it is left as it is: a proxy may have removed it
 * already, and probes ask the node itself.
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
 * Removes the slash at the end of an endpoint's path in place. A redirect would not do: clients do
 * not repeat a POST, or drop its `Authorization`.
 */
export function dropTrailingSlash(request: Pick<IncomingMessage, 'url'>): void {
  const { url = '/' } = request
  const bare = url.replace(ENDPOINT, '$1')
  if (bare === url) return
  withSlash.add(request)
  request.url = bare
}

/** The resource as the request spelled it: clients compare it with their own (RFC 9728, 3.3). */
export function asRequested(request: object, resource: Resource): Resource {
  if (!withSlash.has(request)) return resource
  const { url, metadataUrl } = resource
  return { ...resource, url: `${url}/`, metadataUrl: `${metadataUrl}/` }
}
