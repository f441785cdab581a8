/** Problem documents (RFC 9457), for callers that do not speak JSON-RPC. */

import { STATUS_CODES } from 'node:http'
import type { Context } from 'hono'
import { toWellFormedJson } from '../well-formed.ts'
import type { HttpEnv } from './http-env.ts'

export interface Problem {
  readonly status: number
  /** Stable error code, for programs. */
  readonly code: string
  /** Human-readable explanation. */
  readonly detail: string
  /** Extension members (RFC 9457, 3.2). */
  readonly [extension: string]: unknown
}

/**
 * Creates the response. The type is `about:blank`, so the title is the status phrase (RFC 9457,
 * 4.2.1); programs use `code`.
 */
export function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  const { status } = problem
  const document = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', ...problem }
  const type = { 'content-type': 'application/problem+json' }
  return new Response(toWellFormedJson(document), { status, headers: { ...type, ...headers } })
}

/** Whether a body is a direct call: an object without the member `jsonrpc`. */
export function isDirectCall(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false
  return !Object.hasOwn(body, 'jsonrpc')
}

/**
 * Whether the caller expects problem documents. If the body is unreadable or an array, `Accept`
 * decides: MCP clients must list `text/event-stream`.
 */
export function wantsProblem(c: Context<HttpEnv>, body: unknown): boolean {
  if (c.get('route')?.errors !== 'problem' || c.req.method !== 'POST') return false
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return isDirectCall(body)
  return !c.req.header('accept')?.toLowerCase().includes('text/event-stream')
}
