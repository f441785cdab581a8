/** Filters outgoing SDK messages: bounds the size of errors, and makes the JSON well-formed. */

import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server'
import { boundedText } from '../engine/validation-text.ts'
import { toWellFormedJson, wellFormedJson } from '../well-formed.ts'

/** Limit of an error's `data` in characters; it may repeat parts of the request. */
const LONGEST_DATA = 2000

/**
 * Truncates a JSON-RPC error: the SDK repeats names and URIs of the request and all issues of zod.
 * Returns other messages unchanged.
 */
export function boundError<Message extends object>(message: Message): Message {
  if (!('error' in message)) return message
  const { data, ...error } = message.error as { message?: unknown; data?: unknown }
  const text = boundedText(String(error.message))
  const isLong = data !== undefined && JSON.stringify(data).length > LONGEST_DATA
  if (text === error.message && !isLong) return message
  const kept = data === undefined || isLong ? {} : { data }
  return { ...message, error: { ...error, message: text, ...kept } }
}

/** Filters a `Response` that the SDK has created. */
export async function boundResponse(response: Response): Promise<Response> {
  const { body, status, headers } = response
  if (body === null) return response
  if (headers.get('content-type')?.startsWith('text/event-stream') === true) {
    return new Response(body.pipeThrough(wellFormedLines()), { status, headers })
  }
  const json = await response.text()
  const text = status < 400 ? wellFormedJson(json) : boundErrorJson(json)
  const fields = new Headers(headers)
  fields.delete('content-length')
  return new Response(text, { status, headers: fields })
}

function boundErrorJson(json: string): string {
  try {
    return toWellFormedJson(boundError(JSON.parse(json)))
  } catch {
    // Not JSON, so not a JSON-RPC error.
    return json
  }
}

const NEWLINE = 0x0a
const ESCAPE = Buffer.from('\\ud')

/** Buffers up to whole lines, since an escape sequence may be split across chunks. */
function wellFormedLines(): TransformStream<Uint8Array, Uint8Array> {
  let rest: Uint8Array = new Uint8Array()
  const fix = (bytes: Uint8Array) => {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return buffer.includes(ESCAPE) ? Buffer.from(wellFormedJson(buffer.toString('utf8'))) : bytes
  }
  return new TransformStream({
    transform(chunk, sink) {
      const end = chunk.lastIndexOf(NEWLINE) + 1
      if (end > 0) {
        sink.enqueue(fix(Buffer.concat([rest, chunk.subarray(0, end)])))
        rest = chunk.subarray(end)
      } else {
        rest = Buffer.concat([rest, chunk])
      }
    },
    flush(sink) {
      if (rest.length > 0) sink.enqueue(fix(rest))
    },
  })
}

/** Wraps a transport so that its outgoing messages are filtered. */
export function boundTransport<Sender extends Transport>(transport: Sender): Sender {
  const send = transport.send.bind(transport)
  transport.send = (message, options) => send(wellFormedMessage(boundError(message)), options)
  return transport
}

function wellFormedMessage(message: JSONRPCMessage): JSONRPCMessage {
  const json = JSON.stringify(message)
  const wellFormed = wellFormedJson(json)
  return wellFormed === json ? message : (JSON.parse(wellFormed) as JSONRPCMessage)
}
