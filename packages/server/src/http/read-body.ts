/** Reads a request body from Node's stream, which is faster than the stream of a `Request`. */

import type { Readable } from 'node:stream'
import { AppError } from '../errors.ts'
import type { BodyShare } from './body-budget.ts'

export interface ReadBodyOptions {
  readonly limitBytes: number
  readonly share: BodyShare
}

/**
 * Resolves with the whole body.
 * @throws AppError `payload_too_large`, `unavailable` (see `BodyShare`), `invalid_request` for a
 *   truncated body or too many small chunks
 */
export function readBody(
  incoming: Readable,
  { limitBytes, share }: ReadBodyOptions,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const bytes = createGrowingBuffer()
    const pieces = countPieces()
    const onData = (chunk: Buffer) => {
      try {
        const size = bytes.length + chunk.byteLength
        if (size > limitBytes) throw bodyTooLarge(limitBytes)
        pieces.add(chunk.byteLength)
        share.hold(size)
        bytes.add(chunk)
      } catch (error) {
        // Discards the rest on arrival; the response closes the connection.
        incoming.off('data', onData).resume()
        reject(error)
      }
    }
    incoming.on('data', onData)
    // The client disconnected: not a server error, so the log must not show one.
    const cutOff = () =>
      reject(
        new AppError('invalid_request', 'The request body is incomplete.', {
          cause: incoming.errored,
        }),
      )
    incoming.once('end', () => resolve(bytes.whole()))
    incoming.once('close', () => {
      if (!incoming.readableEnded) cutOff()
    })
    // `close` follows; an `error` event without a listener would crash the process.
    incoming.once('error', () => undefined)
    if (incoming.destroyed) cutOff()
  })
}

export function bodyTooLarge(limitBytes: number): AppError {
  return new AppError(
    'payload_too_large',
    `The request body exceeds the limit of ${limitBytes} bytes.`,
  )
}

/** After the first 1,000 chunks, the average chunk size must be at least 64 bytes. */
const FREE_PIECES = 1000
const LEAST_PIECE_BYTES = 64

/** Limits the number of chunks of a body: one-byte chunks cost far more CPU than their size. */
export function countPieces() {
  let pieces = 0
  let size = 0
  return {
    /** @throws AppError `invalid_request` */
    add(bytes: number): void {
      pieces += 1
      size += bytes
      if (pieces > FREE_PIECES + size / LEAST_PIECE_BYTES) {
        throw new AppError(
          'invalid_request',
          'The body has too many small chunks: send at least 64 bytes per chunk on average.',
        )
      }
    },
  }
}

/** A growing buffer; a body of one chunk is not copied. */
function createGrowingBuffer() {
  let buffer: Buffer | undefined
  let length = 0
  return {
    get length() {
      return length
    },
    add(chunk: Buffer): void {
      const old = buffer
      const size = length + chunk.byteLength
      if (old === undefined) {
        buffer = chunk
      } else if (size <= old.byteLength) {
        chunk.copy(old, length)
      } else {
        buffer = Buffer.allocUnsafeSlow(2 * size)
        old.copy(buffer, 0, 0, length)
        chunk.copy(buffer, length)
      }
      length = size
    },
    whole: () => buffer?.subarray(0, length) ?? Buffer.alloc(0),
  }
}
