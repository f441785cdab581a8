/** The methods that tools call, made of one function that sends. */

import { eachItem, eachPage, type GetPage } from './pages.ts'
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

/** `base` is where the links of pages must stay below. */
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
  // The body's type follows from `as`, which overloads say and implementations cannot.
  return methods as unknown as Upstream
}
