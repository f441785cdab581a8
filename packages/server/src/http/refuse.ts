/** Answers requests of other origins: pages get a page, a team's programs a problem document. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { MiddlewareHandler } from 'hono'
import { AppError } from '../errors.ts'
import type { HttpEnv } from './http-env.ts'
import type { RouteTable } from './routes.ts'

type AppFetch = (request: Request, env: HttpEnv['Bindings']) => Response | Promise<Response>

/** False for routes with another form of errors, and for hosts that are unknown or malformed. */
export function createRefuse(fetch: AppFetch, { find }: Pick<RouteTable, 'find'>) {
  return (incoming: IncomingMessage, outgoing: ServerResponse, refusal: unknown): boolean => {
    const route = find(incoming.url ?? '/')
    const isForPeople = route?.errors === 'page' && route.isMount !== true
    if (!isForPeople && route?.isOfTeam !== true) return false
    if (!(refusal instanceof AppError) || refusal.code !== 'forbidden') return false
    const listener = getRequestListener(
      (request) => fetch(request, { incoming, outgoing, refusal }),
      { overrideGlobalObjects: false },
    )
    void listener(incoming, outgoing)
    return true
  }
}

/** Ends a refused request before any other guard. */
export const refused: MiddlewareHandler<HttpEnv> = (c, next) => {
  if (c.env.refusal !== undefined) throw c.env.refusal
  return next()
}
