/** Request bodies: JSON, form, multipart or bytes; buffered in memory, to allow retries. */

import type { WriteOptions } from './upstream.ts'

export interface RequestBody {
  readonly content: string | Uint8Array | null
  readonly type: string | undefined
}

/** RFC 9110, 8.3.1, with parameters. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;\s*[\w!#$&^.+-]+=("[^"\r\n]*"|[^\s;"]+))*$/

/** @throws TypeError for a body that cannot be encoded */
export async function encodeBody({ body, contentType }: WriteOptions): Promise<RequestBody> {
  if (contentType !== undefined && !MEDIA_TYPE.test(contentType)) {
    throw new TypeError('The content type of the body is not a media type')
  }
  if (body === undefined) return { content: null, type: undefined }
  if (body instanceof URLSearchParams || body instanceof FormData) {
    if (contentType !== undefined) {
      throw new TypeError('A form has its own content type; leave contentType out')
    }
    // Uses the platform's encoder, which escapes names and picks the boundary.
    const encoded = new Response(body)
    const type = encoded.headers.get('content-type') ?? undefined
    return { content: new Uint8Array(await encoded.arrayBuffer()), type }
  }
  if (body instanceof Blob) {
    const type = contentType ?? (body.type || OCTETS)
    return { content: new Uint8Array(await body.arrayBuffer()), type }
  }
  const bytes = bytesOf(body)
  if (bytes !== undefined) return { content: bytes, type: contentType ?? OCTETS }
  if (body instanceof ReadableStream) throw new TypeError('A stream cannot be sent as a body')
  const json = JSON.stringify(body)
  if (json === undefined) throw new TypeError('The body cannot be written as JSON')
  return { content: json, type: contentType ?? 'application/json' }
}

const OCTETS = 'application/octet-stream'

function bytesOf(body: unknown): Uint8Array | undefined {
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  if (!ArrayBuffer.isView(body)) return undefined
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
}
