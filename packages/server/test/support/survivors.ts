/** State of clients at three nodes before a failure, and checks that it survives. */

import { expect } from 'vitest'
import { structured } from './clients.ts'
import { type Listening, listen, listenTo, responseTo } from './event-reader.ts'
import type { ThreeNodes } from './three-nodes.ts'
import { type Answer, connect, post, postModern, read, request } from './wire.ts'

export interface Survivors {
  /** The headers of an MCP session whose session has a stored text. */
  readonly headers: Readonly<Record<string, string>>
  /** A stream of each era. */
  readonly streams: readonly Listening[]
  /** The response of a call that runs for two seconds. */
  readonly slowText: () => Promise<string>
}

const LIST_CHANGED = 'notifications/tools/list_changed'

const remember = (text?: string) =>
  request('tools/call', { name: 'remember', arguments: { text } }, 'remember')

export async function startSurvivors(
  { urls: [a, b, c] }: ThreeNodes,
  closeLater: (stream: Listening) => Listening,
): Promise<Survivors> {
  const headers = await connect(a)
  await read(post(b, remember('kept'), headers))
  const stream = closeLater(await listen(`${a}/mcp`, headers))
  const params = { notifications: { toolsListChanged: true } }
  const modern = closeLater(
    await listenTo((signal) => postModern(b, 'subscriptions/listen', params, { signal })),
  )
  await modern.until(({ message }) => message !== undefined)
  const slow = { name: 'where', arguments: { text: 'slow', delayMs: 2000 } }
  const call = request('tools/call', slow, 'slow')
  const running = closeLater(await listenTo((signal) => post(c, call, headers, signal)))
  const slowText = async () => {
    const { message } = await running.until(responseTo('slow'))
    return structured<{ text: string }>(message?.result ?? {}).text
  }
  return { headers, streams: [stream, modern], slowText }
}

/**
 * The response of every request that needs Redis: never 401, 404 or 500. If the refusal took longer than
 * 300 ms, it is in a stream.
 */
export function expectUnavailable({ status, headers, message }: Answer): void {
  const isStream = headers.get('content-type') === 'text/event-stream'
  expect([status, headers.get('retry-after')]).toEqual(isStream ? [200, null] : [503, '1'])
  expect(message).toMatchObject({ jsonrpc: '2.0', error: { code: -32000 } })
  expect(message.error?.data).toEqual({ code: 'unavailable' })
}

/** The time until every node serves the MCP session again, with its state. */
export async function untilRecovered({ urls }: ThreeNodes, headers: Survivors['headers']) {
  const started = performance.now()
  for (const url of urls) {
    const call = () => read(post(url, remember(), headers))
    const options = { interval: 20 }
    await expect.poll(async () => (await call()).status, options).toBe(200)
    const { message } = await call()
    expect(structured<{ before: string }>(message.result ?? {}).before).toBe('kept')
  }
  return performance.now() - started
}

/** Every stream receives a new change exactly once. */
export async function expectDelivery(
  { urls }: Pick<ThreeNodes, 'urls'>,
  streams: readonly Listening[],
): Promise<void> {
  // A stream that was refused, such as by 503, receives nothing.
  expect(streams.map(({ response }) => response.status)).toEqual(streams.map(() => 200))
  const counts = () =>
    streams.map(({ messages }) => messages.filter(({ method }) => method === LIST_CHANGED).length)
  const before = counts()
  await read(postModern(urls[2], 'tools/call', { name: 'change', arguments: {} }))
  await expect.poll(counts).toEqual(before.map((count) => count + 1))
}
