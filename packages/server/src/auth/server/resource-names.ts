/** The resource identifiers of this server (RFC 8707): one audience, valid at all of them. */

import type { Resources } from '../resources.ts'

export interface ResourceNames {
  /** The identifiers that tokens may have as audience. */
  readonly all: readonly string[]
  /** The default audience, for requests without `resource`. */
  readonly canonical: string
  /** Normalizes an identifier: ignores trailing slashes and the case of the host. */
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
