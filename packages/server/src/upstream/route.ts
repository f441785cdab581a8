/** From a route with parameters to a URL that cannot leave the base URL. */

export type Param = string | number | boolean | undefined

/** Values for a route's `{names}`; the others go to the query string, undefined ones are left out. */
export type Params = Readonly<Record<string, Param>>

/** Reads and checks the base URL once. Throws TypeError when it cannot carry routes. */
export function parseBaseUrl(baseUrl: string): URL {
  const url = new URL(baseUrl)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new TypeError('The base URL must be http or https')
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new TypeError('The base URL must not hold credentials, a query or a fragment')
  }
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}

/**
 * The URL of a route such as `/accounts/{id}` below the base URL. Throws TypeError when a
 * parameter is missing, empty, `.` or `..` (they would change the path: RFC 3986 §5.2.4).
 */
export function buildUrl(base: URL, route: string, params: Params = {}): URL {
  if (!/^\/(?!\/)[^?#\\]*$/.test(route)) {
    throw new TypeError('A route starts with one slash and holds no query, fragment or backslash')
  }
  const used = new Set<string>()
  const path = route.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    used.add(name)
    return encodeParam(name, Object.hasOwn(params, name) ? params[name] : undefined)
  })
  const basePath = base.pathname === '/' ? '' : base.pathname
  const url = new URL(basePath + path, base)
  // The parser removes dot segments: a path that changed would not be the route's any more.
  if (url.origin !== base.origin || url.pathname !== basePath + path) {
    throw new TypeError('The route does not stay below the base URL')
  }
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && !used.has(name)) url.searchParams.append(name, String(value))
  }
  return url
}

function encodeParam(name: string, value: Param): string {
  if (value === undefined) throw new TypeError(`The route's parameter "${name}" is missing`)
  const text = String(value)
  if (text === '' || text === '.' || text === '..') throw unusable(name)
  try {
    return encodeURIComponent(text)
  } catch {
    // Half of a surrogate pair: not text, has no encoding.
    throw unusable(name)
  }
}

function unusable(name: string): TypeError {
  return new TypeError(`The route's parameter "${name}" has a value that no path can hold`)
}
