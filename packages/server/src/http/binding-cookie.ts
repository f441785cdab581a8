/** The cookie that ties the way back from the identity provider to the browser that left. */

import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { BindingCookie } from '../session/pending-sign-in.ts'
import type { HttpEnv } from './context.ts'

/**
 * `__Host-` (RFC 6265bis, 4.1.3.2) wherever the server is reached by https; `__Secure-` below a path,
 * which `__Host-` forbids.
 */
export function setBindingCookie(c: Context<HttpEnv>, cookie: BindingCookie): void {
  setCookie(c, cookie.name, cookie.value, {
    path: cookie.basePath || '/',
    httpOnly: true,
    sameSite: 'Lax',
    maxAge: cookie.maxAgeSeconds,
    ...(cookie.secure && { secure: true, prefix: cookie.basePath ? 'secure' : 'host' }),
  })
}

/** Reads a binding cookie. */
export function readBindingCookie(
  c: Context<HttpEnv>,
  name: string,
  secure: boolean,
  basePath = '',
): string | undefined {
  return getCookie(c, prefixed(name, secure, basePath))
}

/** Reads a binding cookie and drops it: it is good for one return. */
export function takeBindingCookie(
  c: Context<HttpEnv>,
  name: string,
  secure: boolean,
  basePath = '',
): string | undefined {
  const full = prefixed(name, secure, basePath)
  const value = getCookie(c, full)
  if (value !== undefined) deleteCookie(c, full, { path: basePath || '/', secure })
  return value
}

function prefixed(name: string, secure: boolean, basePath: string): string {
  return secure ? `${basePath === '' ? '__Host-' : '__Secure-'}${name}` : name
}
