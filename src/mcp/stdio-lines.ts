/** Lines of standard input that are no messages: answered, where the SDK would leave them out. */

import { type Readable, Transform } from 'node:stream'
import { deserializeMessage, STDIO_DEFAULT_MAX_BUFFER_SIZE } from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'

/** JSON-RPC 2.0, section 5; `id` is null where the line tells none. */
export interface LineRefusal {
  readonly jsonrpc: '2.0'
  readonly id: string | number | null
  readonly error: { readonly code: number; readonly message: string }
}

/**
 * The input without those lines, which go to `refuse`: -32700 for what is not JSON, -32600 for other
 * JSON than a message (JSON-RPC 2.0, section 5.1). It breaks off at a line that is too long.
 */
export function messageLines(
  input: Readable,
  refuse: (refusal: LineRefusal) => void,
  longestBytes = STDIO_DEFAULT_MAX_BUFFER_SIZE,
): Readable {
  let rest = Buffer.alloc(0)
  const lines = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      rest = Buffer.concat([rest, chunk])
      for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
        const line = rest.subarray(0, end + 1)
        rest = rest.subarray(end + 1)
        const refusal = refusalOf(line.toString('utf8').trim())
        if (refusal === undefined) this.push(line)
        else if (refusal !== 'ignored') refuse(refusal)
      }
      done(rest.length > longestBytes ? new Error('A line is too long.') : null)
    },
  })
  return input.pipe(lines)
}

function refusalOf(line: string): LineRefusal | 'ignored' | undefined {
  // Nobody asked anything with it.
  if (line === '') return 'ignored'
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return refusal(new AppError('parse_error', 'The line is not JSON.'))
  }
  try {
    deserializeMessage(line)
    return undefined
  } catch {
    if (Array.isArray(value)) {
      // 2025-06-18 removed JSON-RPC batches, and no era we serve has them.
      return refusal(new AppError('invalid_request', 'JSON-RPC batches are not supported.'))
    }
    const { id, method, result, error } = (value ?? {}) as Readonly<Record<string, unknown>>
    // A broken answer is never answered: two sides could go on like that for ever.
    if (method === undefined && (result !== undefined || error !== undefined)) return 'ignored'
    return refusal(new AppError('invalid_request', 'The line is not a JSON-RPC message.'), id)
  }
}

function refusal({ rpcCode: code, message }: AppError, id?: unknown): LineRefusal {
  const known = typeof id === 'string' || typeof id === 'number' ? id : null
  return { jsonrpc: '2.0', id: known, error: { code, message } }
}
