/** The resources of this server, which are one audience by several names (RFC 8707). */

export interface Resources {
  /** Exactly as clients name them: what tokens may be for. */
  readonly all: readonly string[]
  /** What a token is for when nobody says. */
  readonly canonical: string
  /** How a resource is spelled here: slashes at the end and the host's case make no difference. */
  spelled(resource: string): string
}

const PATHS = ['/mcp', '/http', '/sse']

export function createResources(publicUrl: string): Resources {
  const all = PATHS.map((path) => publicUrl + path)
  return {
    all,
    canonical: `${publicUrl}/mcp`,
    spelled(resource) {
      if (!URL.canParse(resource)) return resource
      const { href } = new URL(resource)
      let end = href.length
      while (href[end - 1] === '/') end -= 1
      const trimmed = href.slice(0, end)
      return all.includes(trimmed) ? trimmed : resource
    },
  }
}
