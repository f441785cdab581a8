/** The argument `session`: the session handle of callers with neither token nor MCP session. */

import type { CallToolResult } from '@modelcontextprotocol/server'
import type { CallSession, ToolCall } from './call.ts'
import { SESSION_ARGUMENT } from './compile-tool.ts'
import { ToolError } from './tool-error.ts'

/** The `_meta` key of the handle, in results and in requests of callers without a token. */
export const SESSION_META_KEY = 'mcp-template/session'

/** Removes the framework's argument: strict input would reject it, loose input would expose it. */
export function ownArguments(given: ToolCall['arguments']): ToolCall['arguments'] {
  if (!Object.hasOwn(given, SESSION_ARGUMENT)) return given
  const { [SESSION_ARGUMENT]: _session, ...own } = given
  return own
}

/**
 * The session handle in a call. A handle that is not a string is rejected, rather than opening a
 * new session.
 * @throws ToolError `invalid_arguments`
 */
export function namedSession(call: ToolCall): string | undefined {
  const named = call.arguments[SESSION_ARGUMENT]
  if (named === undefined || typeof named === 'string') return named
  throw new ToolError(`Invalid arguments:\n"${SESSION_ARGUMENT}" must be a string.`, {
    code: 'invalid_arguments',
  })
}

/**
 * Adds the handle of a session that the call opened, for the model and for programs; the caller
 * needs it to resume the session. Returns the result unchanged if the session needs no handle.
 */
export function withHandle(result: CallToolResult, session: CallSession): CallToolResult {
  const { handle } = session
  if (handle === undefined) return result
  const _meta = { ...result._meta, [SESSION_META_KEY]: handle }
  if (result.content.some((part) => part.type === 'text' && part.text.includes(handle))) {
    return { ...result, _meta }
  }
  const signedIn = session.state === 'authenticated' ? 'Signed in. ' : ''
  const text = `${signedIn}Pass "${SESSION_ARGUMENT}": "${handle}" in later calls.`
  return { ...result, content: [...result.content, { type: 'text', text }], _meta }
}
