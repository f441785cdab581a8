/** A failure a tool explains to its caller, and the result it becomes. */

import type { CallToolResult } from '@modelcontextprotocol/server'

/** Where clients find the error's code in a tool result. */
export const ERROR_META_KEY = 'mcp-template/error'

export interface ToolErrorOptions {
  readonly code?: string
  readonly cause?: unknown
  /** When a call may succeed, in seconds; for programs, so that the message should say it too. */
  readonly retryAfterSeconds?: number
}

/** Thrown by a tool: the message reaches the model, so it says what to do, and holds no secret. */
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

/** What the metadata of a failed call tells programs. */
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
