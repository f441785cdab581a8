/** Which of the server's own routes a URL is one of: a name from a fixed list, fit for a metric. */

export type RouteOf = (url: string) => string

/** `patterns` are Hono's, with `:names`; a mount is a path with everything below it. */
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

/** As the routes see it, which decode: `/%6dcp` is `/mcp`. */
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
