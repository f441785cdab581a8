/** Reads a JSON body within bounds; everything else is refused before it costs anything. */

import { isJsonContentType } from '@modelcontextprotocol/server'
import type { MiddlewareHandler } from 'hono'
import { AppError } from '../errors.ts'
import type { HttpEnv } from './context.ts'

/** No message needs more; parsers that recurse fall over some way above it. */
const DEEPEST = 64

export interface JsonBodyOptions {
  readonly limitBytes: number
}

/**
 * Puts the parsed body of a POST into the context. Refuses encodings and other content types with
 * 415 (RFC 9110, 15.5.16), too many bytes with 413, and what is not JSON with 400.
 */
export function jsonBody({ limitBytes }: JsonBodyOptions): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    if (c.req.method === 'POST') c.set('body', parse(await readText(c.req.raw, limitBytes)))
    await next()
  }
}

async function readText(request: Request, limitBytes: number): Promise<string> {
  const { headers } = request
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') throw unsupported('Content-Encoding is not supported.')
  if (!isJsonContentType(headers.get('content-type'))) {
    throw unsupported('Content-Type must be application/json.')
  }
  if (Number(headers.get('content-length') ?? 0) > limitBytes) throw tooLarge(limitBytes)
  const bytes = await readBytes(request, limitBytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new AppError('parse_error', 'The body is not UTF-8.', { cause: error })
  }
}

async function readBytes({ body }: Request, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body ?? []) {
      size += chunk.byteLength
      if (size > limitBytes) throw tooLarge(limitBytes)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    // The client went away: no fault of ours, so that it must not look like one in the log.
    throw new AppError('invalid_request', 'The body was cut off.', { cause: error })
  }
  return Buffer.concat(chunks)
}

function parse(text: string): unknown {
  if (isTooDeep(text)) throw new AppError('invalid_request', 'The body is nested too deeply.')
  try {
    return JSON.parse(text)
  } catch {
    // Without the cause: its message repeats the beginning of the body, and would be logged.
    throw new AppError('parse_error', 'The body is not JSON.')
  }
}

/** Counts brackets outside strings, without building anything. */
function isTooDeep(text: string): boolean {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]
    if (inString) {
      if (character === '\\') index += 1
      else if (character === '"') inString = false
    } else if (character === '"') {
      inString = true
    } else if (character === '{' || character === '[') {
      depth += 1
      if (depth > DEEPEST) return true
    } else if (character === '}' || character === ']') {
      depth -= 1
    }
  }
  return false
}

function tooLarge(limitBytes: number): AppError {
  return new AppError('payload_too_large', `The body may have ${limitBytes} bytes.`)
}

function unsupported(message: string): AppError {
  return new AppError('unsupported_media_type', message)
}
