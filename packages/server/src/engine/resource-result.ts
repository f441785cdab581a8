/** Converts a resource's content to the result: validated and masked if it has a schema. */

import type { ReadResourceResult } from '@modelcontextprotocol/server'
import { ZodError } from 'zod'
import type { CompiledResource } from './compile-resource.ts'
import { ToolError } from './tool-error.ts'

const JSON_TYPE = 'application/json'
const BYTES_TYPE = 'application/octet-stream'

interface Body {
  readonly mimeType?: string | undefined
  readonly content: { readonly text: string } | { readonly blob: string }
}

/** @throws ToolError `invalid_output` */
export function toResourceResult(
  resource: CompiledResource,
  uri: string,
  value: unknown,
): ReadResourceResult {
  const { mimeType, content } = bodyOf(resource, value)
  return { contents: [{ uri, ...(mimeType !== undefined && { mimeType }), ...content }] }
}

/** The listed MIME type of a resource; JSON by default if it has a schema. */
export function listedType({ definition, output }: CompiledResource): string | undefined {
  return definition.mimeType ?? (output === undefined ? undefined : JSON_TYPE)
}

function bodyOf(resource: CompiledResource, value: unknown): Body {
  const { output } = resource
  const mimeType = listedType(resource)
  if (output !== undefined) {
    return { mimeType, content: { text: JSON.stringify(parse(output, value)) } }
  }
  if (typeof value === 'string') return { mimeType, content: { text: value } }
  const binary = binaryOf(value)
  if (binary !== undefined) return bytes(binary, mimeType)
  if (typeof value !== 'object' || value === null)
    throw invalidOutput('it is neither text nor bytes')
  if (isBlob(value)) return bytes(value.blob, value.mimeType ?? mimeType)
  const opaque = OPAQUE.find((type) => value instanceof type)
  if (opaque !== undefined) throw invalidOutput(`a ${opaque.name} has no JSON: read it first`)
  return { mimeType: mimeType ?? JSON_TYPE, content: { text: JSON.stringify(value) } }
}

/** Types that are `{}` as JSON, whatever they hold. */
const OPAQUE = [Map, Set, Blob, Response, ReadableStream, Promise]

function binaryOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined
}

function parse(output: NonNullable<CompiledResource['output']>, value: unknown) {
  try {
    return output.parse(value)
  } catch (error) {
    if (!(error instanceof ZodError)) throw error
    throw invalidOutput('it does not have the form that is declared', error)
  }
}

function isBlob(value: object): value is { blob: string | Uint8Array; mimeType?: string } {
  const { blob, ...others } = value as { readonly blob?: unknown }
  const isBytes = typeof blob === 'string' || blob instanceof Uint8Array
  return isBytes && Object.keys(others).every((name) => name === 'mimeType')
}

function bytes(value: string | Uint8Array, mimeType = BYTES_TYPE): Body {
  if (typeof value !== 'string') {
    const { buffer, byteOffset, byteLength } = value
    const blob = Buffer.from(buffer, byteOffset, byteLength).toString('base64')
    return { mimeType, content: { blob } }
  }
  // RFC 4648, section 4: clients reject base64url and data URLs.
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    throw invalidOutput('its blob is not base64')
  }
  return { mimeType, content: { blob: value } }
}

function invalidOutput(reason: string, cause?: unknown): ToolError {
  return new ToolError(`The resource cannot be sent: ${reason}.`, { code: 'invalid_output', cause })
}
