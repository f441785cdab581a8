/**
 * Hands a call over to Hono, which answers everything but fast-path calls: SDK responses, errors,
 * event streams and calls from web pages. The app reuses the caller and the body of the call.
 */

import type { IncomingMessage } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Context } from 'hono'
import { directResponse } from '../http/direct-routes.ts'
import type { HandedCall, HttpEnv } from '../http/http-env.ts'
import { isDirectCall } from '../http/problem.ts'
import { respond } from '../http/respond.ts'
import { whenClosed } from '../http/when-closed.ts'
import type { DirectAnswer, DirectCalls } from '../mcp/direct/direct-calls.ts'
import type { McpEndpoint } from '../mcp/endpoint.ts'
import type { SseEndpoint } from '../mcp/legacy/sse.ts'
import type { McpAnswer } from '../mcp/mcp-request.ts'
import type { Call } from './fast-call.ts'

type AppFetch = (request: Request, env: HttpEnv['Bindings']) => Response | Promise<Response>

export interface HandOverDeps {
  /** The Hono app. */
  readonly fetch: AppFetch
  readonly mcp: McpEndpoint
  readonly direct: DirectCalls
  readonly sse: SseEndpoint
}

export type HandOver = ReturnType<typeof createHandOver>

export function createHandOver(deps: HandOverDeps) {
  const { fetch } = deps
  const handed = new WeakMap<IncomingMessage, Call>()
  const listener = getRequestListener(
    (request, env) => {
      const { incoming, outgoing } = env as HttpEnv['Bindings']
      return fetch(request, { incoming, outgoing, call: handed.get(incoming) })
    },
    { overrideGlobalObjects: false },
  )

  /** Has Hono answer with the response of `respondTo`. Later calls have no effect. */
  const handOver = (call: Call, respondTo: NonNullable<HandedCall['respond']>): void => {
    if (call.respond !== undefined) return
    call.respond = respondTo
    handed.set(call.incoming, call)
    void listener(call.incoming, call.outgoing)
  }

  return {
    /** Answers with an error. */
    error(call: Call, error: unknown): void {
      handOver(call, () => {
        throw error
      })
    },
    /** Answers with the result of a tool, or with an event stream that ends with it. */
    answer: (call: Call, answer: (c: Context<HttpEnv>) => Promise<McpAnswer>): void =>
      handOver(call, async (c) => respond(c, await answer(c))),
    /** Answers a direct call. */
    direct: (call: Call, answer: (c: Context<HttpEnv>) => Promise<DirectAnswer>): void =>
      handOver(call, async (c) => directResponse(c, await answer(c))),
    /** Answers with the response of the SDK. */
    sdk: (call: Call): void =>
      handOver(call, async (c) => {
        const response = await handleWithSdk(deps, call, c)
        // Frees the body: the call lives as long as its stream, and only an error needs the id.
        call.body = undefined
        return response
      }),
  }
}

async function handleWithSdk(
  { mcp, direct, sse }: HandOverDeps,
  call: Call,
  c: Context<HttpEnv>,
): Promise<Response> {
  const { body, mcpSession } = call
  const contexts = call.contexts()
  if (call.route.path === '/messages') {
    return sse.post(c.req.query('session_id'), body, contexts)
  }
  const onClose = whenClosed(call.outgoing)
  const disconnect = () => void call.outgoing.destroy()
  const message = { request: c.req.raw, body, contexts, mcpSession, onClose, disconnect }
  const isDirect = call.route.path === '/http' && isDirectCall(body)
  if (isDirect) return directResponse(c, await direct.call(message))
  return respond(c, await mcp.handle(message))
}
