/** The resources of this server by their names, which are one audience (RFC 8707). */

import type { Resources } from '../resources.ts'

export interface ResourceNames {
  /** Exactly as clients name them: what tokens may be for. */
  readonly all: readonly string[]
  /** What a token is for when nobody says. */
  readonly canonical: string
  /** How a resource is spelled here: slashes at the end and the host's case make no difference. */
  spelled(resource: string): string
}

export function createResourceNames(resources: Resources): ResourceNames {
  const all = resources.all.map(({ url }) => url)
  return {
    all,
    canonical: resources.at('/mcp').url,
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
