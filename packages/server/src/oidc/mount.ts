/** Adapts requests to a mounted provider: fixed origin, no browser sessions. */

import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Mount {
  /** The provider's issuer URL, including its path. */
  readonly issuer: URL
  /** Base path of the server, already stripped from requests. */
  readonly basePath?: string
  /** Name of the library's session cookie. */
  readonly sessionCookie: string
}

/**
 * Rewrites the request for the library: the path below the mount point in `url`, the full path in
 * `originalUrl`, and Host and X-Forwarded headers set from the issuer, so that callers cannot forge
 * the origin.
 */
export function enter(
  req: IncomingMessage & { originalUrl?: string },
  { issuer, basePath = '', sessionCookie }: Mount,
): void {
  const whole = basePath + (req.url ?? '/')
  req.originalUrl = whole
  req.url = whole.slice(issuer.pathname.replace(/\/$/, '').length).replace(/^(?!\/)/, '/')
  // Drops all other X-Forwarded headers: only the one set here is trusted.
  req.headers.host = issuer.host
  req.headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1)
  delete req.headers['x-forwarded-host']
  delete req.headers['x-forwarded-for']
  req.headers.cookie = (req.headers.cookie ?? '')
    .split('; ')
    .filter((cookie) => !cookie.startsWith(sessionCookie))
    .join('; ')
}

/** Drops the session cookie from responses as well: every authorization authenticates the user. */
export function dropSessionCookie(res: ServerResponse, { sessionCookie }: Mount): void {
  const cookies = [res.getHeader('set-cookie') ?? []].flat().map(String)
  const kept = cookies.filter((cookie) => !cookie.startsWith(sessionCookie))
  if (kept.length > 0) res.setHeader('set-cookie', kept)
  else res.removeHeader('set-cookie')
}
