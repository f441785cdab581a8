/** Lines of standard input that are no messages: answered, where the SDK would leave them out. */

import { isUtf8 } from 'node:buffer'
import { type Duplex, type Readable, Transform } from 'node:stream'
import { deserializeMessage, STDIO_DEFAULT_MAX_BUFFER_SIZE } from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import { describeFault, MAX_JSON_DEPTH, structureFault } from '../json-structure.ts'
import { isShortId } from './bounds.ts'
import { isAnswer } from './client-answer.ts'
import { checkIds } from './message-bounds.ts'

/** JSON-RPC 2.0, section 5; `id` is null where the line has none, or one that is too long. */
export interface LineRefusal {
  readonly jsonrpc: '2.0'
  readonly id: string | number | null
  readonly error: { readonly code: number; readonly message: string }
}

/** Tells the client; settles when it has been written, so that a client must read to go on. */
type Refuse = (refusal: LineRefusal) => Promise<void>

export interface LineBounds {
  /** Values of the JSON in a line. */
  readonly maxValues: number
  readonly longestBytes?: number
}

const NEWLINE = 0x0a
const BYTE_ORDER_MARK = Buffer.from('\u{feff}')

/**
 * The input without those lines, which go to `refuse`: -32700 for what is not JSON in UTF-8, -32600
 * for other JSON than a message (JSON-RPC 2.0, section 5.1), for too much structure, for an id or a
 * progress token above its limit, and for a line that is too long, which is not kept. Byte order marks are left out (RFC 8259, section 8.1). The last
 * line may lack its newline. The result does not end with the input, so that what was asked can be
 * answered: destroy it.
 */
export function messageLines(
  input: Readable,
  refuse: Refuse,
  { maxValues, longestBytes = STDIO_DEFAULT_MAX_BUFFER_SIZE }: LineBounds,
): Duplex {
  const line = createLine(longestBytes)

  async function endLine(push: (line: Buffer) => void): Promise<void> {
    const whole = withoutMark(line.end())
    const refusal = whole === undefined ? TOO_LONG : refusalOf(whole, maxValues)
    if (whole !== undefined && refusal === undefined) push(whole)
    else if (refusal !== undefined && refusal !== 'ignored') await refuse(refusal)
  }

  async function take(chunk: Buffer, push: (line: Buffer) => void): Promise<void> {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      line.add(chunk.subarray(start, end + 1))
      start = end + 1
      await endLine(push)
    }
    line.add(chunk.subarray(start))
  }

  const lines = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      take(chunk, (whole) => this.push(whole)).then(() => done(), done)
    },
  })
  input.once('end', () => lines.write('\n'))
  return input.pipe(lines, { end: false })
}

/** Some hosts on Windows begin what they write with one. */
function withoutMark(line: Buffer | undefined): Buffer | undefined {
  return line?.subarray(0, 3).equals(BYTE_ORDER_MARK) ? line.subarray(3) : line
}

/** Puts a line together from its pieces, as long as it is not too long. */
function createLine(longestBytes: number) {
  let pieces: Buffer[] = []
  let length = 0
  return {
    add(piece: Buffer): void {
      length += piece.length
      if (length <= longestBytes) pieces.push(piece)
      else pieces = []
    },
    /** The line, if it was not too long; the next one begins. */
    end(): Buffer | undefined {
      const whole = length <= longestBytes ? Buffer.concat(pieces) : undefined
      pieces = []
      length = 0
      return whole
    },
  }
}

const PARSE_ERROR = refusal(new AppError('parse_error', 'The line is not JSON.'))
const NO_MESSAGE = new AppError('invalid_request', 'The line is not a JSON-RPC message.')
const TOO_LONG = refusal(new AppError('invalid_request', 'The line is too long.'))

function refusalOf(bytes: Buffer, values: number): LineRefusal | 'ignored' | undefined {
  if (!isUtf8(bytes)) return PARSE_ERROR
  const line = bytes.toString('utf8')
  // Nobody asked anything with it.
  if (/^[ \t\r\n]*$/.test(line)) return 'ignored'
  const fault = structureFault(line, { depth: MAX_JSON_DEPTH, values })
  if (fault !== undefined) {
    return refusal(new AppError('invalid_request', describeFault('line', fault, values)))
  }
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return PARSE_ERROR
  }
  try {
    deserializeMessage(line)
    checkIds(value)
    return undefined
  } catch (fault) {
    if (Array.isArray(value)) {
      // 2025-06-18 removed JSON-RPC batches, and no era we serve has them.
      return refusal(new AppError('invalid_request', 'JSON-RPC batches are not supported.'))
    }
    // A broken answer is never answered: two sides could repeat that without end.
    if (isAnswer(value)) return 'ignored'
    const { id } = (value ?? {}) as { readonly id?: unknown }
    return refusal(fault instanceof AppError ? fault : NO_MESSAGE, id)
  }
}

function refusal({ rpcCode: code, message }: AppError, id?: unknown): LineRefusal {
  return { jsonrpc: '2.0', id: isShortId(id) ? id : null, error: { code, message } }
}
