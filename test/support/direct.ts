/** Direct calls of `/http`, as a program without the protocol makes them. */

import type { HeaderFields } from './wire.ts'

export interface DirectAnswer {
  readonly status: number
  readonly type: string | null
  readonly headers: Headers
  /** The parsed body. */
  readonly body: Record<string, unknown>
}

export interface DirectOptions {
  readonly headers?: HeaderFields
  readonly signal?: AbortSignal
}

/** What each caller of `/http` shows. */
const CREDENTIALS: HeaderFields = {}

/** Posts text as it is. */
export async function postDirect(
  url: string,
  text: string,
  { headers, signal }: DirectOptions = {},
): Promise<DirectAnswer> {
  const fields = { 'content-type': 'application/json', ...CREDENTIALS, ...headers }
  const init = { method: 'POST', headers: fields, body: text, signal: signal ?? null }
  const response = await fetch(`${url}/http`, init)
  const { status } = response
  const type = response.headers.get('content-type')
  const body = (await response.json()) as Record<string, unknown>
  return { status, type, headers: response.headers, body }
}

/** Makes a call. */
export function callDirect(
  url: string,
  method: string,
  params?: object,
  options?: DirectOptions,
): Promise<DirectAnswer> {
  return postDirect(url, JSON.stringify({ method, ...(params && { params }) }), options)
}
