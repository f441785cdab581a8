/** The argument `session`: how callers with neither token nor connection name their session. */

import type { CallToolResult } from '@modelcontextprotocol/server'
import type { CallSession, ToolCall } from './call.ts'
import { SESSION_ARGUMENT } from './compile-tool.ts'
import { ToolError } from './tool-error.ts'

/** Where programs find the handle in the metadata of a result. */
const SESSION_META_KEY = 'mcp-template/session'

/** The handle is ours, not the tool's: a strict input would refuse it, a loose one would see it. */
export function ownArguments(given: ToolCall['arguments']): ToolCall['arguments'] {
  if (!Object.hasOwn(given, SESSION_ARGUMENT)) return given
  const { [SESSION_ARGUMENT]: _session, ...own } = given
  return own
}

/**
 * The handle that a call names. One that is no text is a mistake, which must not open a session of
 * its own.
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
 * The result with the handle of a session that its call has opened, for the model and for programs: its
 * caller could not come back without. The same result where the session is found without a handle.
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
