/** The cookie a browser is known by that let a client in: sign-in links need no code there. */

import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { sha256 } from '../../crypto/hash.ts'
import { randomValue } from '../../crypto/random-id.ts'
import type { HttpEnv } from '../http-env.ts'

const NAME = 'mcp-browser'

/** 256 bits, as `randomValue` makes them. */
const VALUE = /^[\w-]{43}$/

export interface BrowserCookieOptions {
  /** Whether the server is reached by https. */
  readonly secure: boolean
  /** The path that the server is below; none if left out. */
  readonly basePath?: string
  /** As long as a client may stay let in. */
  readonly maxAgeSeconds: number
}

/**
 * Makes this browser known, or keeps it known for longer, and gives the SHA-256 of its value for
 * the session's `browser`. Call it where the person has said yes to a client, and nowhere else.
 */
export function browserCookie(
  c: Context<HttpEnv>,
  { secure, basePath = '', maxAgeSeconds }: BrowserCookieOptions,
): string {
  // One value for each browser: clients that it let in earlier must not lose it.
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

/** The SHA-256 of this browser's value; undefined when it is not known. */
export function knownBrowser(
  c: Context<HttpEnv>,
  secure: boolean,
  basePath = '',
): string | undefined {
  const value = cookieValue(c, secure, basePath)
  return value && sha256(value)
}

/**
 * Over https only the name that no other host can set is read (RFC 6265bis, 4.1.3.2), as far as a path
 * allows that.
 */
function cookieValue(c: Context<HttpEnv>, secure: boolean, basePath: string): string | undefined {
  const prefix = basePath === '' ? '__Host-' : '__Secure-'
  const value = getCookie(c, secure ? prefix + NAME : NAME)
  return value !== undefined && VALUE.test(value) ? value : undefined
}
