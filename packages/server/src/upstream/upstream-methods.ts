/** The methods that tools call, pagination included, built on one `send` function. */

import { buildUrl, type Param, type Params, segmentsBelow } from './route.ts'
import type {
  ItemOptions,
  Method,
  PageOptions,
  ReadOptions,
  Upstream,
  UpstreamResponse,
  WriteOptions,
} from './upstream.ts'
import { UpstreamError } from './upstream-error.ts'

type Send = (
  method: Method,
  route: string,
  params: Params,
  options: WriteOptions,
) => Promise<UpstreamResponse>

/** Pagination links must stay below `base`. */
export function createUpstreamMethods(send: Send, base: URL): Upstream {
  const request = (method: Method, route: string, params?: Params, options?: WriteOptions) =>
    send(method, route, params ?? {}, options ?? {})
  const short =
    (method: Method) => async (route: string, params?: Params, options?: WriteOptions) =>
      (await request(method, route, params, options)).body
  const page: GetPage = (...given) => request('GET', ...given)
  const methods = {
    get: short('GET'),
    post: short('POST'),
    put: short('PUT'),
    patch: short('PATCH'),
    delete: short('DELETE'),
    request,
    pages: (route: string, params: Params, options: PageOptions) =>
      eachPage(page, base, { route, params }, options),
    items: (route: string, params: Params, options: ItemOptions) =>
      eachItem(page, base, { route, params }, options),
  }
  // `as` determines the body's type, which only the overloads can express.
  return methods as unknown as Upstream
}

type GetPage = (route: string, params: Params, options: ReadOptions) => Promise<UpstreamResponse>

interface Place {
  readonly route: string
  readonly params: Params
}

const MAX_PAGES = 10
const MAX_ITEMS = 1000

/** Yields one page at a time; the timeout applies to each page. */
async function* eachPage(
  get: GetPage,
  base: URL,
  start: Place,
  options: PageOptions,
): AsyncGenerator<UpstreamResponse, void, void> {
  const { maxPages = MAX_PAGES } = options
  const seen = new Set<string>()
  let place: Place | undefined = firstPlace(start, options)
  for (let count = 0; place !== undefined && count < maxPages; count += 1) {
    // A repeated URL is a pagination cycle.
    const { href } = buildUrl(base, place.route, place.params)
    if (seen.has(href)) throw unusable('repeated page')
    seen.add(href)
    const page: UpstreamResponse = await get(place.route, place.params, options)
    yield page
    place = nextPlace(base, place, page, options)
  }
}

async function* eachItem(
  get: GetPage,
  base: URL,
  start: Place,
  options: ItemOptions,
): AsyncGenerator<unknown, void, void> {
  const { maxItems = MAX_ITEMS } = options
  let count = 0
  if (maxItems <= 0) return
  for await (const { body } of eachPage(get, base, start, options)) {
    for (const item of itemsOf(body, options)) {
      yield item
      count += 1
      if (count >= maxItems) return
    }
  }
}

function firstPlace({ route, params }: Place, options: PageOptions): Place {
  if (options.by !== 'page') return { route, params }
  return { route, params: { ...params, [options.parameter]: pageNumber(params, options) } }
}

function pageNumber(
  params: Params,
  { parameter, first = 1 }: Extract<PageOptions, { by: 'page' }>,
): number {
  const given = params[parameter]
  return given === undefined || given === null ? first : Number(given)
}

function nextPlace(
  base: URL,
  place: Place,
  page: UpstreamResponse,
  options: PageOptions,
): Place | undefined {
  const { route, params } = place
  if (options.by === 'link') {
    const { next } = page.links
    return next === undefined ? undefined : linkedPlace(base, place, new URL(next))
  }
  if (options.by === 'cursor') {
    const cursor = options.cursor(page.body)
    if (cursor === undefined || cursor === null || cursor === '') return undefined
    return { route, params: { ...params, [options.parameter]: cursor } }
  }
  if (itemsOf(page.body, options).length === 0) return undefined
  const next = pageNumber(params, options) + 1
  return { route, params: { ...params, [options.parameter]: next } }
}

/** Converts the link to a route and parameters, so that it cannot leave the base URL. */
function linkedPlace(base: URL, { route, params }: Place, link: URL): Place {
  const segments = segmentsBelow(base, link)
  if (segments === undefined) throw unusable('link')
  const query: Record<string, Param> = {}
  for (const name of new Set(link.searchParams.keys())) query[name] = link.searchParams.getAll(name)
  const isSamePath = buildUrl(base, route, params).pathname === link.pathname
  const names = [...route.matchAll(/\{\+?([^{}]*)\}/g)].map(([, name = '']) => name)
  if (isSamePath && !names.some((name) => Object.hasOwn(query, name))) {
    const inPath = Object.fromEntries(names.map((name) => [name, params[name]]))
    return { route, params: { ...query, ...inPath } }
  }
  return { route: '/{+linked path}', params: { ...query, 'linked path': segments } }
}

function itemsOf(body: unknown, { items }: PageOptions): readonly unknown[] {
  const found = items === undefined ? body : items(body)
  if (Array.isArray(found)) return found
  if (found === undefined || found === null) return []
  throw unusable('items')
}

function unusable(reason: string): UpstreamError {
  return new UpstreamError('upstream_bad_response', { reason })
}
