/** Cookie of a visit of the account page. A hash of its value is the visit's session id. */

import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { HttpEnv } from '../http-env.ts'

const NAME = 'mcp-account'

/** 256 bits, the format of `randomValue`. */
const VALUE = /^[\w-]{43}$/

export interface AccountCookieOptions {
  /** Whether the public URL is https. */
  readonly secure: boolean
  /** Base path of the server, or empty. */
  readonly basePath: string
}

export type AccountCookie = ReturnType<typeof createAccountCookie>

/** Reads, sets and deletes the cookie. `Lax`: it is needed after the redirect from the provider. */
export function createAccountCookie({ secure, basePath }: AccountCookieOptions) {
  // With `__Host-`, no other host can set the cookie (RFC 6265bis, 4.1.3.2).
  const prefix = basePath === '' ? 'host' : 'secure'
  const name = secure ? `${prefix === 'host' ? '__Host-' : '__Secure-'}${NAME}` : NAME
  const path = basePath || '/'
  return {
    read(c: Context<HttpEnv>): string | undefined {
      const value = getCookie(c, name)
      return value !== undefined && VALUE.test(value) ? value : undefined
    },
    set(c: Context<HttpEnv>, value: string, maxAgeSeconds: number): void {
      setCookie(c, NAME, value, {
        ...{ path, httpOnly: true, sameSite: 'Lax', maxAge: maxAgeSeconds },
        ...(secure && { secure: true, prefix }),
      })
    },
    clear(c: Context<HttpEnv>): void {
      deleteCookie(c, name, { path, secure })
    },
  }
}
