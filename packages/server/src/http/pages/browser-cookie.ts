/** Cookie of a known browser, which has authorized a client: its sign-in links need no code. */

import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { sha256 } from '../../crypto/hash.ts'
import { randomValue } from '../../crypto/random-id.ts'
import type { HttpEnv } from '../http-env.ts'

const NAME = 'mcp-browser'

/** 256 bits, the format of `randomValue`. */
const VALUE = /^[\w-]{43}$/

export interface BrowserCookieOptions {
  /** Whether the public URL is https. */
  readonly secure: boolean
  /** Base path of the server; defaults to none. */
  readonly basePath?: string
  /** The longest lifetime of a client's authorization. */
  readonly maxAgeSeconds: number
}

/**
 * Sets or renews the cookie (sliding expiration), and returns the SHA-256 of its value for the
 * session's `browser`. Call only after the user has authorized a client.
 */
export function browserCookie(
  c: Context<HttpEnv>,
  { secure, basePath = '', maxAgeSeconds }: BrowserCookieOptions,
): string {
  // Reuses the browser's value, which links the clients authorized earlier.
  const value = cookieValue(c, secure, basePath) ?? randomValue()
  setCookie(c, NAME, value, {
    path: basePath || '/',
    httpOnly: true,
    sameSite: 'Lax',
    maxAge: maxAgeSeconds,
    ...(secure && { secure: true, prefix: basePath === '' ? 'host' : 'secure' }),
  })
  return sha256(value)
}

/** The SHA-256 of this browser's cookie value; undefined for an unknown browser. */
export function knownBrowser(
  c: Context<HttpEnv>,
  secure: boolean,
  basePath = '',
): string | undefined {
  const value = cookieValue(c, secure, basePath)
  return value && sha256(value)
}

/**
 * Over https, reads only the prefixed name. With `__Host-`, no other host can set the cookie (RFC
 * 6265bis, 4.1.3.2); a base path permits only `__Secure-`.
 */
function cookieValue(c: Context<HttpEnv>, secure: boolean, basePath: string): string | undefined {
  const prefix = basePath === '' ? '__Host-' : '__Secure-'
  const value = getCookie(c, secure ? prefix + NAME : NAME)
  return value !== undefined && VALUE.test(value) ? value : undefined
}
