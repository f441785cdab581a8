/** Builds the URL of a route; prevents path traversal out of the base URL. */

type Value = string | number | boolean

/** A list becomes a repeated query parameter. */
export type Param = Value | readonly Value[] | null | undefined

/**
 * Values for a route's `{names}`; others go to the query string, except undefined and null.
 * `{+name}` takes a path of several segments, as a string or a list.
 */
export type Params = Readonly<Record<string, Param>>

/** Parses and validates the base URL. Throws TypeError if it cannot be the base of routes. */
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
  const path = route.replace(/\{(\+?)([^{}]*)\}/g, (_, plus: string, name: string) => {
    used.add(name)
    const value = Object.hasOwn(params, name) ? params[name] : undefined
    return plus === '' ? encodeParam(name, value) : encodePath(name, value)
  })
  const basePath = pathOf(base)
  const url = new URL(basePath + path, base)
  // The parser resolves dot segments: a changed path is a path traversal.
  if (url.origin !== base.origin || url.pathname !== basePath + path) {
    throw new TypeError('The route does not stay below the base URL')
  }
  for (const [name, value] of Object.entries(params)) {
    if (!used.has(name)) appendQuery(url, name, value)
  }
  return url
}

/** The path segments of a URL below the base URL; undefined if it is not below. */
export function segmentsBelow(base: URL, { origin, pathname }: URL): string[] | undefined {
  const basePath = `${pathOf(base)}/`
  if (origin !== base.origin || !pathname.startsWith(basePath)) return undefined
  try {
    return pathname.slice(basePath.length).split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
}

function pathOf({ pathname }: URL): string {
  return pathname === '/' ? '' : pathname
}

function appendQuery(url: URL, name: string, value: Param): void {
  for (const each of Array.isArray(value) ? value : [value]) {
    if (each === undefined || each === null) continue
    if (!isValue(each))
      throw new TypeError(`The parameter "${name}" is not a string, number or boolean`)
    url.searchParams.append(name, String(each))
  }
}

function encodeParam(name: string, value: unknown): string {
  if (value === undefined || value === null) {
    throw new TypeError(`The route's parameter "${name}" is missing`)
  }
  if (!isValue(value)) throw unusable(name)
  const text = String(value)
  if (text === '' || text === '.' || text === '..') throw unusable(name)
  try {
    return encodeURIComponent(text)
  } catch {
    // A lone surrogate has no UTF-8 encoding.
    throw unusable(name)
  }
}

function encodePath(name: string, value: Param): string {
  const segments = Array.isArray(value) ? value : typeof value === 'string' ? value.split('/') : []
  if (segments.length === 0) return encodeParam(name, value)
  return segments.map((segment) => encodeParam(name, segment)).join('/')
}

function isValue(value: unknown): value is Value {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

function unusable(name: string): TypeError {
  return new TypeError(`The route's parameter "${name}" has a value that no path can hold`)
}
