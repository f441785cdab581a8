/** Maps a URL to its route pattern: a label of bounded cardinality for metrics. */

export type RouteOf = (url: string) => string

/** `patterns` use Hono's syntax (`:name`); a mount matches its path and everything below. */
export function createRouteOf(patterns: readonly string[], mounts: readonly string[]): RouteOf {
  const all = [...new Set(patterns)].filter((pattern) => !pattern.includes('*'))
  const exact = new Set([...all.filter((pattern) => !pattern.includes(':')), ...mounts])
  const variable = all.filter((pattern) => pattern.includes(':')).map(toRegExp)
  const prefixes = mounts.map((mount) => `${mount}/`)

  return (url) => {
    const path = pathOf(url)
    if (exact.has(path)) return path
    const known = variable.find(({ form }) => form.test(path))?.pattern
    if (known !== undefined) return known
    const mount = prefixes.find((prefix) => path.startsWith(prefix))
    return mount === undefined ? 'unknown' : `${mount}*`
  }
}

/** The decoded path, as Hono matches it: `/%6dcp` is `/mcp`. */
function pathOf(url: string): string {
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  if (!path.includes('%')) return path
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

function toRegExp(pattern: string) {
  const form = pattern.replaceAll(/:\w+/g, '[^/]+')
  return { pattern, form: new RegExp(`^${form}$`) }
}
