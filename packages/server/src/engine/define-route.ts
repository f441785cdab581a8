/** How a page or an endpoint of the team's own is declared. */

import { html } from 'hono/html'
import type { z } from 'zod'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'
import type { Announce, ToolLog } from './tool-context.ts'

/** Text for pages: what is put into the template is escaped. */
export { html }

export type Html = ReturnType<typeof html>

export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface RoutePage {
  readonly title: string
  readonly body: Html | string
  /** 200 if left out. */
  readonly status?: number
}

export interface RouteProblem {
  readonly status: number
  /** Stable, for programs. */
  readonly code: string
  /** For people. */
  readonly detail: string
}

export interface RouteContext<E extends Env = Env> {
  /** The request; `json`, `form` and `bytes` read its body. */
  readonly request: Request
  /** With PUBLIC_URL in front, whatever a proxy made of it. */
  readonly url: URL
  /** Values of the path's `:names`, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** An anonymous one, except for callers with an access token. */
  readonly caller: Caller
  readonly settings: E['settings']
  readonly services: E['services']
  /** Log lines with the id of the request. */
  readonly log: ToolLog
  readonly announce: Announce
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
  /** A page in the look of the server. */
  page(page: RoutePage): Response | Promise<Response>
  /** A problem document (RFC 9457). */
  problem(problem: RouteProblem): Response
  /** The JSON of the body. What does not fit is answered with 400, other content types with 415. */
  json<Schema extends z.ZodType>(schema: Schema): Promise<z.output<Schema>>
  /** The fields of a form, each once; 400 and 415 as for `json`. */
  form<Schema extends z.ZodObject>(schema: Schema): Promise<z.output<Schema>>
  /** The body as it came, such as for a signature. */
  bytes(): Promise<Uint8Array>
}

export interface RouteDefinition<E extends Env = Env> {
  /**
   * Who asks there. `people` come with a browser: errors are pages, and forms of other sites are refused.
   * `programs` read problem documents (RFC 9457). `callers` bring an access token for this server, as
   * MCP clients do.
   */
  readonly for: 'people' | 'programs' | 'callers'
  readonly method: RouteMethod
  /** Such as `/reset/:token`; logs and metrics have this and never what stood there. */
  readonly path: string
  readonly limits?: {
    /**
     * Of one address; 600 if left out. Callers are counted as for `/mcp` (RATE_LIMIT_CALLER) instead.
     */
    readonly callsPerMinute?: number
  }
  /** The longest body; 65,536 if left out. */
  readonly bodyLimitBytes?: number
  handle(context: RouteContext<E>): Response | Promise<Response>
}

/** Declares a route. List it in `routes` of `defineServer`. */
export function defineRoute(definition: RouteDefinition): RouteDefinition {
  return definition
}
