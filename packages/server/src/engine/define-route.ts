/** Declares a team's own pages and endpoints. */

import { html } from 'hono/html'
import type { z } from 'zod'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'
import type { Announce, ToolLog } from './tool-context.ts'

/** Template tag for pages; escapes interpolated values (XSS). */
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
  /** Based on PUBLIC_URL, regardless of proxies. */
  readonly url: URL
  /** Values of the path's `:names`, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Anonymous, except for callers with an access token. */
  readonly caller: Caller
  readonly settings: E['settings']
  readonly services: E['services']
  /** Logger with the request id. */
  readonly log: ToolLog
  readonly announce: Announce
  /** Aborted when the client disconnects, or the time limit expires. */
  readonly signal: AbortSignal
  /** A page with the server's theme. */
  page(page: RoutePage): Response | Promise<Response>
  /** A problem document (RFC 9457). */
  problem(problem: RouteProblem): Response
  /** Parses a JSON body. Responds with 400 if it is invalid, with 415 for other content types. */
  json<Schema extends z.ZodType>(schema: Schema): Promise<z.output<Schema>>
  /** Parses a form; a repeated field is invalid. 400 and 415 as for `json`. */
  form<Schema extends z.ZodObject>(schema: Schema): Promise<z.output<Schema>>
  /** The raw body, for example to verify a signature. */
  bytes(): Promise<Uint8Array>
}

export interface RouteDefinition<E extends Env = Env> {
  /**
   * The route's audience. `people` use a browser: errors are pages, and cross-site forms are
   * rejected (CSRF). `programs` get problem documents (RFC 9457). `callers` authenticate with an
   * access token for this server, as MCP clients do.
   */
  readonly for: 'people' | 'programs' | 'callers'
  readonly method: RouteMethod
  /** Such as `/reset/:token`; logs and metrics contain this pattern, never the actual path. */
  readonly path: string
  readonly limits?: {
    /**
     * Rate limit per client address; default 600. For `callers`, RATE_LIMIT_CALLER applies instead.
     */
    readonly callsPerMinute?: number
  }
  /** Maximum size of the body; default 65,536. */
  readonly bodyLimitBytes?: number
  /** Time limit of `handle` for its response, in seconds; TOOL_TIMEOUT by default. Then 503. */
  readonly timeoutSeconds?: number
  handle(context: RouteContext<E>): Response | Promise<Response>
}

/** Declares a route. List it in `routes` of `defineServer`. */
export function defineRoute(definition: RouteDefinition): RouteDefinition {
  return definition
}
