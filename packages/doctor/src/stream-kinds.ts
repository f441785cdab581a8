/** The three streams that clients hold open, and how to make something happen on each. */

import { type Finding, skipped, wrong } from './findings.ts'
import { type HeldStream, openStream } from './held-stream.ts'
import { postJson } from './http.ts'
import { authorization, connect, INITIALIZE, modernRequest, PING } from './mcp.ts'
import type { Visit } from './visit.ts'

/** Longer than any event needs that nobody holds back. */
export const SOON_MS = 3000
const OPENS_WITHIN_MS = 5000

/**
 * Answers repeat the ids of their requests, so that long ids make long answers. Servers bound ids; the
 * limit of ours is 256 bytes.
 */
const longId = (name: string) => name.padEnd(240, 'x')
/** Enough of them to fill the buffers of a proxy, which have 4 or 8 kB. */
const PINGS = Array.from({ length: 40 }, (_, index) => index)
/**
 * The largest single answers that every server gives. Proxies that hold back the part of an event
 * that does not fill a buffer are seen by an answer that takes more than one: 4 kB for nginx.
 */
const LISTS = ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']

export interface OpenedStream {
  readonly name: string
  readonly stream: HeldStream
  /** What comes first, by itself. */
  readonly first: (text: string) => boolean
  /** Asks for large answers on it; false when not all of them arrive soon. */
  readonly trigger?: () => Promise<boolean>
  close(): Promise<void>
}

type Opening = Promise<OpenedStream | Finding>

export const STREAM_KINDS: readonly ((visit: Visit) => Opening)[] = [ofConnection, listen, sse]

/** 2025-11-25, basic/transports, "Listening for Messages from the Server". */
async function ofConnection(visit: Visit): Opening {
  const name = 'GET /mcp (2025-11-25)'
  const connection = await connect(visit)
  if ('status' in connection) return skipped(`${name}: no connection opens (${connection.status}).`)
  const { headers } = connection
  const stream = await openStream(`${visit.base}/mcp`, { headers }, OPENS_WITHIN_MS)
  return {
    name,
    stream,
    first: (text) => text !== '',
    async close() {
      stream.close()
      await connection.end()
    },
  }
}

/** 2026-07-28, basic/utilities/subscriptions. */
async function listen(visit: Visit): Opening {
  const notifications = {
    toolsListChanged: true,
    promptsListChanged: true,
    resourcesListChanged: true,
  }
  const { headers, body } = modernRequest('subscriptions/listen', { notifications })
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization(visit), ...headers },
    body: JSON.stringify(body),
  }
  const stream = await openStream(`${visit.base}/mcp`, init, OPENS_WITHIN_MS)
  return {
    name: 'subscriptions/listen (2026-07-28)',
    stream,
    first: (text) => text.includes('acknowledged'),
    close: async () => stream.close(),
  }
}

/** 2024-11-05, basic/transports, "HTTP with SSE": answers come on the stream. */
async function sse(visit: Visit): Opening {
  const name = 'GET /sse (2024-11-05)'
  const headers = authorization(visit)
  const stream = await openStream(`${visit.base}/sse`, { headers }, OPENS_WITHIN_MS)
  if (stream.status === 404) {
    stream.close()
    return skipped('/sse is not there.')
  }
  // A path: anything else could make another host of the address.
  const endpoint = () => /^event: endpoint\n(?:id: .*\n)?data: (\/\S+)/m.exec(stream.text)?.[1]
  let count = 0

  async function answers(message: object, id: string): Promise<boolean> {
    const { status } = await postJson(`${visit.base}${endpoint()}`, { ...message, id }, headers)
    // To the end of its event: its id stands before the result.
    const isWhole = (text: string) => {
      const at = text.indexOf(`"id":"${id}"`)
      return at !== -1 && text.includes('\n\n', at)
    }
    return status === 202 && stream.hears(isWhole, SOON_MS)
  }

  async function trigger(): Promise<boolean> {
    count += 1
    if (count === 1 && !(await answers(INITIALIZE, 'initialize'))) return false
    const heard = await Promise.all(
      PINGS.map((index) => answers(PING, longId(`${count}-${index}-`))),
    )
    if (!heard.every(Boolean)) return false
    // One by one: what comes next would push out what is held back.
    for (const method of LISTS) {
      const isHeard = await answers({ jsonrpc: '2.0', method }, longId(`${count}-${method}-`))
      if (!isHeard) return false
    }
    return true
  }

  return {
    name,
    stream,
    first: () => endpoint() !== undefined,
    trigger,
    close: async () => stream.close(),
  }
}

/** When it does not even begin. */
export function notOpened(error: unknown): Finding {
  const why = error instanceof Error ? error.message : String(error)
  return wrong(
    `A stream does not open (${why}): a proxy collects what the server says.`,
    'Turn buffering off for event streams: nginx `proxy_buffering off;`.',
  )
}
