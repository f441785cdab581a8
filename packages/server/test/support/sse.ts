/** The older transport without a client: its stream, and messages to any node. */

import { expect } from 'vitest'
import { type Listening, listen, responseTo } from './event-reader.ts'
import { INITIALIZE } from './wire.ts'

/** Opens the stream of a new or a known session. */
export function openSse(
  url: string,
  sessionId?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Listening> {
  const query = sessionId === undefined ? '' : `?session_id=${sessionId}`
  return listen(`${url}/sse${query}`, headers)
}

/** Posts to the path that the stream's first event named. */
export function sendSse(
  url: string,
  path: string,
  message: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const type = { 'content-type': 'application/json' }
  const body = JSON.stringify(message)
  return fetch(url + path, { method: 'POST', headers: { ...type, ...headers }, body })
}

export interface SseSession {
  readonly stream: Listening
  /** The URL for its messages. */
  readonly path: string
  readonly id: string
}

/** Performs the handshake on a stream, through other nodes if there are any. */
export async function initializeSse(
  stream: Listening,
  [first, second = first]: readonly [string, string?],
  capabilities: object = {},
): Promise<SseSession> {
  const { data: path } = await stream.until(({ event }) => event === 'endpoint')
  const params = { ...INITIALIZE.params, capabilities, protocolVersion: '2024-11-05' }
  const initialize = { ...INITIALIZE, id: 'init', params }
  expect((await sendSse(first, path, initialize)).status).toBe(202)
  await stream.until(responseTo('init'))
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }
  expect((await sendSse(second, path, initialized)).status).toBe(202)
  return { stream, path, id: path.split('=')[1] ?? '' }
}
