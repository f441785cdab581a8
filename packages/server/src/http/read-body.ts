/** Reads a request's body from Node's own stream: the one of a `Request` is slower. */

import type { Readable } from 'node:stream'
import { AppError } from '../errors.ts'
import type { BodyShare } from './body-budget.ts'

export interface ReadBodyOptions {
  readonly limitBytes: number
  readonly share: BodyShare
}

/**
 * Resolves with the whole body.
 * @throws AppError `payload_too_large`, `unavailable` (see `BodyShare`), `invalid_request` for one
 *   that breaks off or comes in too many pieces
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
        // The rest is discarded as it comes, and the response closes the connection.
        incoming.off('data', onData).resume()
        reject(error)
      }
    }
    incoming.on('data', onData)
    // The client went away, which is no fault of the server and must not look like one in the log.
    const cutOff = () =>
      reject(new AppError('invalid_request', 'The body was cut off.', { cause: incoming.errored }))
    incoming.once('end', () => resolve(bytes.whole()))
    incoming.once('close', () => {
      if (!incoming.readableEnded) cutOff()
    })
    // `close` follows; without a listener an error would end the process.
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

/** Pieces of any size at first, then of so many bytes on average. */
const FREE_PIECES = 1000
const LEAST_PIECE_BYTES = 64

/** Bounds the pieces of a body, such as chunks of one byte: each costs far more than its bytes. */
export function countPieces() {
  let pieces = 0
  let size = 0
  return {
    /** @throws AppError `invalid_request` */
    add(bytes: number): void {
      pieces += 1
      size += bytes
      if (pieces > FREE_PIECES + size / LEAST_PIECE_BYTES) {
        throw new AppError('invalid_request', 'The body comes in too many small chunks.')
      }
    },
  }
}

/** Keeps a body that comes in one piece as it is, and copies others together. */
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
