/** 404 and 405 responses. */

import type { Context, MiddlewareHandler, NotFoundHandler } from 'hono'
import { AppError } from '../errors.ts'
import { answerOf, errorPage, problemOf } from './error-response.ts'
import type { HttpEnv } from './http-env.ts'
import { prefersPage } from './prefers-page.ts'

/** A page for browsers, a JSON-RPC error for clients. */
export const notFound: NotFoundHandler<HttpEnv> = (c) => {
  const error = new AppError('not_found', 'There is nothing at this address.')
  c.header('vary', 'Accept')
  return prefersPage(c.req.header('accept')) ? errorPage(c, error) : answerOf(error)
}

/** Answers 405 with `Allow` for an unsupported method, before any handler (RFC 9110, 15.5.6). */
export const wrongMethod: MiddlewareHandler<HttpEnv> = (c, next) => {
  const route = c.get('route')
  // `c.req.raw` has the original method; Hono rewrites HEAD to GET elsewhere.
  const { method } = c.req.raw
  const isServed = route?.methods.some((each) => each === method) ?? true
  if (route === undefined || isServed || route.isHidden || isPreflight(c)) return next()
  const allow = route.methods
  const error = new AppError('method_not_allowed', `Use ${allow.join(' or ')}.`, { allow })
  const isPage = route.errors === 'page' && prefersPage(c.req.header('accept'))
  if (isPage) return Promise.resolve(errorPage(c, error))
  return Promise.resolve(route.isOfTeam ? problemOf(error) : answerOf(error))
}

/** CORS preflight: OPTIONS with an Origin header, on a route that allows other origins. */
function isPreflight(c: Context<HttpEnv>): boolean {
  if (c.req.method !== 'OPTIONS' || c.get('route')?.origins === undefined) return false
  return c.req.header('origin') !== undefined
}
