/** POSTs whose body stops before its end, on sockets of their own. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface UnfinishedPost {
  readonly socket: Socket
  /** What came back so far. */
  answer(): string
}

export interface UnfinishedOptions {
  readonly path?: string
  readonly headers?: readonly string[]
  /** Announced length; the body stops one byte before it. */
  readonly bytes: number
  readonly contentType?: string
  /** Sent instead, in the chunked coding. */
  readonly chunks?: string
}

/** Sends all but the last byte of a body, and resolves when that is on its way. */
export async function postUnfinished(
  url: string,
  {
    path = '/mcp',
    headers = [],
    bytes,
    contentType = 'application/json',
    chunks,
  }: UnfinishedOptions,
): Promise<UnfinishedPost> {
  const { port, host } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text
  })
  // Refused ones may be cut off while they send.
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const head = [
    ...[`POST ${path} HTTP/1.1`, `Host: ${host}`, `Content-Type: ${contentType}`],
    ...[
      'Accept: application/json, text/event-stream',
      chunks === undefined ? `Content-Length: ${bytes}` : 'Transfer-Encoding: chunked',
      ...headers,
    ],
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  socket.write(chunks ?? Buffer.alloc(bytes - 1, ' '))
  return { socket, answer: () => answer }
}
