/** The URLs that clients derive from the server's URL. */

/** The endpoints that clients connect to. */
export const ENDPOINTS = ['/mcp', '/http', '/sse'] as const

export type Endpoint = (typeof ENDPOINTS)[number]

/** RFC 9728, 3.1, and RFC 8414, 3.1: the well-known segment goes between host and path. */
export function wellKnown(name: string, address: string): string {
  const { origin, pathname } = new URL(address)
  return `${origin}/.well-known/${name}${pathname === '/' ? '' : pathname}`
}

export function isLoopback(address: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(address).hostname)
}

/** Only loopback is safe without TLS. */
export function isSafe(address: string): boolean {
  return URL.canParse(address) && (address.startsWith('https:') || isLoopback(address))
}
