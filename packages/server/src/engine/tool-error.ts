/** A tool's error with a message for the caller, and its tool result. */

import type { CallToolResult } from '@modelcontextprotocol/server'

/** The `_meta` key of the error code in a tool result. */
export const ERROR_META_KEY = 'mcp-template/error'

export interface ToolErrorOptions {
  readonly code?: string
  readonly cause?: unknown
  /** Delay before a retry, in seconds. Read by programs only: repeat it in the message. */
  readonly retryAfterSeconds?: number
}

/** Thrown by a tool. The message reaches the model: it should say what to do, without secrets. */
export class ToolError extends Error {
  readonly code: string
  readonly retryAfterSeconds: number | undefined

  constructor(message: string, options: ToolErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'ToolError'
    this.code = options.code ?? 'tool_failed'
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** Metadata of a failed call, for programs. */
export interface ToolErrorFacts {
  readonly code: string
  readonly retryAfterSeconds?: number
}

/** A failed call as a tool result (2026-07-28, server/tools, "Error Handling"). */
export function toolErrorResult(
  code: string,
  message: string,
  retryAfterSeconds?: number,
): CallToolResult {
  const facts: ToolErrorFacts = {
    code,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }
  return {
    content: [{ type: 'text', text: message }],
    isError: true,
    _meta: { [ERROR_META_KEY]: facts },
  }
}
