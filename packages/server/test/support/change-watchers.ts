/** Streams of both eras at each node, with a continuous source of change notifications: no stream may miss one. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { type Listening, listen, listenTo, withMethod } from './event-reader.ts'
import type { ThreeNodes } from './three-nodes.ts'
import { connect, type HeaderFields, post, postModern, read, request } from './wire.ts'

const URIS = Array.from({ length: 10 }, (_, number) => `test://note/${number}`)
const PAUSE_MS = 300

type Counts = Readonly<Record<string, number>>

export interface ChangeWatchers {
  /** Starts to announce changes; the returned function stops it. */
  start(): () => Promise<Announced>
  /** Waits until every stream has received all acknowledged changes, and expects all streams to be open. */
  expectHeard(announced: Announced): Promise<void>
  close(): void
}

/** The number of changes announced per resource, and received per stream. */
interface Announced {
  readonly acknowledged: Counts
  readonly before: readonly Counts[]
}

export async function openWatchers({ urls }: Pick<ThreeNodes, 'urls'>): Promise<ChangeWatchers> {
  const streams = await Promise.all(urls.flatMap((node) => [openLegacy(node), openModern(node)]))
  const ended = streams.map(() => false)
  for (const [at, stream] of streams.entries()) {
    void stream.ended.then(() => {
      ended[at] = true
    })
  }
  const counts = () => streams.map(countUris)
  return {
    start() {
      const before = counts()
      const acknowledged: Record<string, number> = {}
      const stopping = new AbortController()
      const announce = async () => {
        for (let turn = 0; !stopping.signal.aborted; turn += 1) {
          const uri = URIS[turn % URIS.length] ?? ''
          const url = urls[turn % urls.length] ?? ''
          const params = { name: 'change', arguments: { uri } }
          const { status, message } = await read(postModern(url, 'tools/call', params))
          const isDone = status === 200 && message.result?.isError !== true
          if (isDone) acknowledged[uri] = (acknowledged[uri] ?? 0) + 1
          await sleep(PAUSE_MS)
        }
      }
      const running = announce()
      return async () => {
        stopping.abort()
        await running
        return { acknowledged, before }
      }
    },
    async expectHeard({ acknowledged, before }) {
      const missing = () =>
        counts().flatMap((received, at) =>
          Object.entries(acknowledged).flatMap(([uri, count]) => {
            const missed = count - ((received[uri] ?? 0) - (before[at]?.[uri] ?? 0))
            return missed > 0 ? [`stream ${at} misses ${missed} of ${uri}`] : []
          }),
        )
      await expect.poll(missing).toEqual([])
      expect(ended).toEqual(streams.map(() => false))
    },
    close() {
      for (const stream of streams) stream.close()
    },
  }
}

async function openLegacy(url: string): Promise<Listening> {
  const headers: HeaderFields = await connect(url)
  for (const uri of URIS) await read(post(url, request('resources/subscribe', { uri }), headers))
  const stream = await listen(`${url}/mcp`, headers)
  await stream.until(({ id }) => id !== undefined)
  return stream
}

async function openModern(url: string): Promise<Listening> {
  const params = { notifications: { resourceSubscriptions: URIS } }
  const stream = await listenTo((signal) =>
    postModern(url, 'subscriptions/listen', params, { signal }),
  )
  await stream.until(withMethod('notifications/subscriptions/acknowledged'))
  return stream
}

function countUris({ messages }: Listening): Counts {
  const counts: Record<string, number> = {}
  for (const { method, params } of messages) {
    const uri = String(params?.uri)
    if (method === 'notifications/resources/updated') counts[uri] = (counts[uri] ?? 0) + 1
  }
  return counts
}
