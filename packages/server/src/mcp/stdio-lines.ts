/** Answers invalid lines of standard input with errors; the SDK would ignore them. */

import { isUtf8 } from 'node:buffer'
import { type Duplex, type Readable, Transform } from 'node:stream'
import { deserializeMessage, STDIO_DEFAULT_MAX_BUFFER_SIZE } from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import { describeFault, MAX_JSON_DEPTH, structureFault } from '../json-structure.ts'
import { isAnswer } from './client-answer.ts'
import { checkIds, isShortId, omitNulls } from './incoming-message.ts'

/** JSON-RPC 2.0, section 5; `id` is null if the line has none, or one that is too long. */
export interface LineRefusal {
  readonly jsonrpc: '2.0'
  readonly id: string | number | null
  readonly error: { readonly code: number; readonly message: string }
}

/** Sends an error; settles once it is written: backpressure on clients that do not read. */
type Refuse = (refusal: LineRefusal) => Promise<void>

export interface LineBounds {
  /** Maximum number of values in the JSON of a line. */
  readonly maxValues: number
  readonly longestBytes?: number
}

const NEWLINE = 0x0a
const BYTE_ORDER_MARK = Buffer.from('\u{feff}')

/**
 * Returns the input without invalid lines, whose errors go to `refuse`: -32700 for invalid UTF-8 or
 * JSON, -32600 for JSON that is not a message (JSON-RPC 2.0, section 5.1), for too many values or
 * levels, for an id or progress token above its limit, and for a line above its limit, which is not
 * buffered. Strips byte order marks (RFC 8259, section 8.1). The last line may lack a newline. The
 * result stays open after the input ends, so that pending requests can be answered: destroy it.
 */
export function messageLines(
  input: Readable,
  refuse: Refuse,
  { maxValues, longestBytes = STDIO_DEFAULT_MAX_BUFFER_SIZE }: LineBounds,
): Duplex {
  const line = createLine(longestBytes)

  async function endLine(push: (line: Buffer) => void): Promise<void> {
    const whole = withoutMark(line.end())
    const read = whole === undefined ? TOO_LONG : readLine(whole, maxValues)
    if (Buffer.isBuffer(read)) push(read)
    else if (read !== 'ignored') await refuse(read)
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

/** Strips the byte order mark that some hosts on Windows write first. */
function withoutMark(line: Buffer | undefined): Buffer | undefined {
  return line?.subarray(0, 3).equals(BYTE_ORDER_MARK) ? line.subarray(3) : line
}

/** Assembles a line from chunks; drops it above the limit. */
function createLine(longestBytes: number) {
  let pieces: Buffer[] = []
  let length = 0
  return {
    add(piece: Buffer): void {
      length += piece.length
      if (length <= longestBytes) pieces.push(piece)
      else pieces = []
    },
    /** Returns the line, or undefined if it was too long, and starts the next one. */
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

/** Returns the line as the SDK may read it, or the error for it. */
function readLine(bytes: Buffer, values: number): Buffer | LineRefusal | 'ignored' {
  if (!isUtf8(bytes)) return PARSE_ERROR
  const line = bytes.toString('utf8')
  // Blank lines are ignored.
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
    const message = omitNulls(value)
    const text = message === value ? line : `${JSON.stringify(message)}\n`
    deserializeMessage(text)
    checkIds(message)
    return message === value ? bytes : Buffer.from(text)
  } catch (fault) {
    if (Array.isArray(value)) {
      // Only 2025-03-26 has JSON-RPC batches. Refused: limits and scopes are checked for each message.
      return refusal(new AppError('invalid_request', 'JSON-RPC batches are not supported.'))
    }
    // Malformed responses get no error: two peers could exchange errors endlessly.
    if (isAnswer(value)) return 'ignored'
    const { id } = (value ?? {}) as { readonly id?: unknown }
    return refusal(fault instanceof AppError ? fault : NO_MESSAGE, id)
  }
}

function refusal({ rpcCode: code, message }: AppError, id?: unknown): LineRefusal {
  return { jsonrpc: '2.0', id: isShortId(id) ? id : null, error: { code, message } }
}
