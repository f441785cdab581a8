/** How requests enter a provider and leave it: with an origin of ours, without browser sessions. */

import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Mount {
  /** Where the provider lives, path included. */
  readonly issuer: URL
  /** Of the server as a whole: requests come without it. */
  readonly basePath?: string
  /** The library's cookie that would remember who signed in. */
  readonly sessionCookie: string
}

/**
 * Makes the request look as the library wants it: the path below the mount point in `url`, the
 * whole one in `originalUrl`, and an origin that is ours and not the caller's to choose.
 */
export function enter(
  req: IncomingMessage & { originalUrl?: string },
  { issuer, basePath = '', sessionCookie }: Mount,
): void {
  const whole = basePath + (req.url ?? '/')
  req.originalUrl = whole
  req.url = whole.slice(issuer.pathname.replace(/\/$/, '').length).replace(/^(?!\/)/, '/')
  // The only forwarded header left is the one set here.
  req.headers.host = issuer.host
  req.headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1)
  delete req.headers['x-forwarded-host']
  delete req.headers['x-forwarded-for']
  req.headers.cookie = (req.headers.cookie ?? '')
    .split('; ')
    .filter((cookie) => !cookie.startsWith(sessionCookie))
    .join('; ')
}

/** No browser session, in neither direction: each authorization asks who is there. */
export function dropSessionCookie(res: ServerResponse, { sessionCookie }: Mount): void {
  const cookies = [res.getHeader('set-cookie') ?? []].flat().map(String)
  const kept = cookies.filter((cookie) => !cookie.startsWith(sessionCookie))
  if (kept.length > 0) res.setHeader('set-cookie', kept)
  else res.removeHeader('set-cookie')
}
