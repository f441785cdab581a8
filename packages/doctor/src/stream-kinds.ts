/** The three kinds of long-lived streams, and how to trigger events on each. */

import { type Finding, skipped, wrong } from './findings.ts'
import { type HeldStream, openStream } from './held-stream.ts'
import { postJson } from './http.ts'
import { authorization, connect, INITIALIZE, modernRequest, PING } from './mcp.ts'
import type { Visit } from './visit.ts'

/** Exceeds the latency of any unbuffered event. */
export const SOON_MS = 3000
const OPENS_WITHIN_MS = 5000

/**
 * Responses echo request ids, so long ids make long responses. Servers limit ids; the limit here is
 * 256 bytes.
 */
const longId = (name: string) => name.padEnd(240, 'x')
/** Enough to fill a proxy's buffers of 4 or 8 kB. */
const PINGS = Array.from({ length: 40 }, (_, index) => index)
/**
 * The largest responses that every server gives. A proxy that withholds the part of an event that
 * does not fill a buffer is detected by a response larger than one buffer: 4 kB for nginx.
 */
const LISTS = ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']

export interface OpenedStream {
  readonly name: string
  readonly stream: HeldStream
  /** Matches the first event, which arrives without a trigger. */
  readonly first: (text: string) => boolean
  /** Requests large responses on it; false if not all arrive in time. */
  readonly trigger?: () => Promise<boolean>
  close(): Promise<void>
}

type Opening = Promise<OpenedStream | Finding>

export const STREAM_KINDS: readonly ((visit: Visit) => Opening)[] = [ofConnection, listen, sse]

/** 2025-11-25, basic/transports, "Listening for Messages from the Server". */
async function ofConnection(visit: Visit): Opening {
  const name = 'GET /mcp (2025-11-25)'
  const connection = await connect(visit)
  if ('status' in connection)
    return skipped(`${name}: no MCP session opens (${connection.status}).`)
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

/** 2024-11-05, basic/transports, "HTTP with SSE": responses arrive on the stream. */
async function sse(visit: Visit): Opening {
  const name = 'GET /sse (2024-11-05)'
  const headers = authorization(visit)
  const stream = await openStream(`${visit.base}/sse`, { headers }, OPENS_WITHIN_MS)
  if (stream.status === 404) {
    stream.close()
    return skipped('/sse is not there.')
  }
  // Accepts only a path: a full URL could name another host (SSRF).
  const endpoint = () => /^event: endpoint\n(?:id: .*\n)?data: (\/\S+)/m.exec(stream.text)?.[1]
  let count = 0

  async function answers(message: object, id: string): Promise<boolean> {
    const address = `${new URL(visit.base).origin}${endpoint()}`
    const { status } = await postJson(address, { ...message, id }, headers)
    // Waits for the end of the event: the id precedes the result.
    const isWhole = (text: string) => {
      const at = text.indexOf(`"id":"${id}"`)
      return at !== -1 && text.includes('\n\n', at)
    }
    return status === 202 && stream.receives(isWhole, SOON_MS)
  }

  async function trigger(): Promise<boolean> {
    count += 1
    if (count === 1 && !(await answers(INITIALIZE, 'initialize'))) return false
    const arrived = await Promise.all(
      PINGS.map((index) => answers(PING, longId(`${count}-${index}-`))),
    )
    if (!arrived.every(Boolean)) return false
    // In sequence: the next response would push out a withheld one.
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

/** The finding for a stream that does not open. */
export function notOpened(error: unknown): Finding {
  const why = error instanceof Error ? error.message : String(error)
  return wrong(
    `A stream does not open (${why}): a proxy buffers the stream.`,
    'Turn buffering off for event streams: nginx `proxy_buffering off;`.',
  )
}
