/** One spelling for each request target, so that guards and routers cannot read it differently. */

import type { IncomingMessage } from 'node:http'
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
