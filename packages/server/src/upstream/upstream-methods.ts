/** The methods that tools call, built on one `send` function. */

import { eachItem, eachPage, type GetPage } from './page-iterators.ts'
import type { Params } from './route.ts'
import type {
  ItemOptions,
  Method,
  PageOptions,
  Upstream,
  UpstreamResponse,
  WriteOptions,
} from './upstream.ts'

export type Send = (
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
