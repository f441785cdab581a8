/**
 * Checks what a tool or a prompt returns as content: clients reject the whole result for one block
 * that is not of the protocol (2025-11-25 and 2026-07-28, server/tools, "Tool Result").
 */

import {
  type ContentBlock,
  type PromptMessage,
  specTypeSchemas,
} from '@modelcontextprotocol/server'
import { ToolError } from './tool-error.ts'
import { faultsText } from './validation-text.ts'

/** The texts that each type of block must have. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  image: ['data', 'mimeType'],
  audio: ['data', 'mimeType'],
  resource_link: ['uri', 'name'],
  resource: [],
}

/** What official clients check: base64, annotations and so on. */
const SCHEMAS = {
  text: specTypeSchemas.TextContent,
  image: specTypeSchemas.ImageContent,
  audio: specTypeSchemas.AudioContent,
  resource_link: specTypeSchemas.ResourceLink,
  resource: specTypeSchemas.EmbeddedResource,
}

/** @throws ToolError `invalid_output`, whose cause names the block and the field */
export function checkBlocks(content: unknown): ContentBlock[] {
  if (!Array.isArray(content)) throw invalid('The content must be a list of blocks')
  for (const [index, block] of content.entries()) checkBlock(block, `content[${index}]`)
  return [...content]
}

/** @throws ToolError `invalid_output`, whose cause names the message and the field */
export function checkMessages(messages: unknown): PromptMessage[] {
  if (!Array.isArray(messages)) throw invalid('A prompt must return a text or a list of messages')
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    if (message?.role !== 'user' && message?.role !== 'assistant') {
      throw invalid(`${at}.role must be user or assistant`)
    }
    checkBlock(message.content, `${at}.content`)
  }
  return [...messages]
}

function checkBlock(block: unknown, at: string): void {
  if (typeof block !== 'object' || block === null) throw invalid(`${at} must be a content block`)
  const fields = block as Readonly<Record<string, unknown>>
  const type = String(fields.type)
  const texts = Object.hasOwn(TEXTS, type) ? TEXTS[type] : undefined
  if (texts === undefined) {
    throw invalid(`${at}.type must be one of ${Object.keys(TEXTS).join(', ')}`)
  }
  const missing = texts.find((name) => typeof fields[name] !== 'string')
  if (missing !== undefined) throw invalid(`${at}.${missing} must be a string`)
  if (type === 'resource') checkResource(fields.resource, at)
  const { issues } = SCHEMAS[type as keyof typeof SCHEMAS]['~standard'].validate(block)
  if (issues !== undefined) throw invalid(`${at}: ${faultsText(issues)}`)
}

function checkResource(resource: unknown, at: string): void {
  const { uri, text, blob } = (resource ?? {}) as Readonly<Record<string, unknown>>
  if (typeof uri === 'string' && typeof (text ?? blob) === 'string') return
  throw invalid(`${at}.resource must have a uri, and a text or a blob`)
}

function invalid(fault: string): ToolError {
  return new ToolError('The content does not match the protocol.', {
    code: 'invalid_output',
    cause: new TypeError(fault),
  })
}
