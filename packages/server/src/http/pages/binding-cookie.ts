/** Binding cookie: ties the OAuth callback to the browser that started the sign-in (login CSRF). */

import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { BindingCookie } from '../../session/pending-sign-in.ts'
import type { HttpEnv } from '../http-env.ts'

/**
 * Sets the cookie: over https with the prefix `__Host-` (RFC 6265bis, 4.1.3.2), or `__Secure-` if
 * the server has a base path, which `__Host-` forbids.
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

/** Reads and deletes a binding cookie, which is valid for a single callback. */
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
