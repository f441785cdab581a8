/** A failure a tool explains to its caller, and the result it becomes. */

import type { CallToolResult } from '@modelcontextprotocol/server'

/** Where clients find the error's code in a tool result. */
export const ERROR_META_KEY = 'mcp-template/error'

/** Thrown by a tool: the message reaches the model, so it says what to do, and holds no secret. */
export class ToolError extends Error {
  readonly code: string

  constructor(message: string, options: { readonly code?: string; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'ToolError'
    this.code = options.code ?? 'tool_failed'
  }
}

/** A failed call as a tool result (2026-07-28, server/tools, "Error Handling"). */
export function toolErrorResult(code: string, message: string): CallToolResult {
  return {
    content: [{ type: 'text', text: message }],
    isError: true,
    _meta: { [ERROR_META_KEY]: { code } },
  }
}
