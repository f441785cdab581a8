/** Failures as problem documents (RFC 9457), for callers that do not speak JSON-RPC. */

import { STATUS_CODES } from 'node:http'
import type { Context } from 'hono'
import { toWellFormedJson } from '../well-formed.ts'
import type { HttpEnv } from './http-env.ts'

export interface Problem {
  readonly status: number
  /** Stable, for programs. */
  readonly code: string
  /** For people. */
  readonly detail: string
  /** Extension members (RFC 9457, 3.2). */
  readonly [extension: string]: unknown
}

/**
 * The document. Its type is `about:blank`, so that the title is the status in words (RFC 9457,
 * 4.2.1); programs go by `code`.
 */
export function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  const { status } = problem
  const document = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', ...problem }
  const type = { 'content-type': 'application/problem+json' }
  return new Response(toWellFormedJson(document), { status, headers: { ...type, ...headers } })
}

/** A direct call is an object that does not claim to be a JSON-RPC message. */
export function isDirectCall(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false
  return !Object.hasOwn(body, 'jsonrpc')
}

/**
 * Whether a caller takes problem documents. Where the body does not tell, because it could not be
 * read or is a list, `Accept` does: clients of the protocol have to list event streams.
 */
export function wantsProblem(c: Context<HttpEnv>, body: unknown): boolean {
  if (c.get('route')?.errors !== 'problem' || c.req.method !== 'POST') return false
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return isDirectCall(body)
  return !c.req.header('accept')?.toLowerCase().includes('text/event-stream')
}
