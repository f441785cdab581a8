/** POSTs with unfinished bodies, each on its own socket. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface UnfinishedPost {
  readonly socket: Socket
  /** The response received so far. */
  answer(): string
}

export interface UnfinishedOptions {
  readonly path?: string
  readonly headers?: readonly string[]
  /** Declared length; the body ends one byte before it. */
  readonly bytes: number
  readonly contentType?: string
  /** A chunked body instead. */
  readonly chunks?: string
}

/** Sends all but the last byte of a body, and resolves once it is written. */
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
  // The server may close the connection of a refused request while it sends.
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
