/** Runs one tool call: the order of the checks below is the order of the design. */

import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server'
import { isInputRequiredResult } from '@modelcontextprotocol/server'
import { ZodError, z } from 'zod'
import { AppError } from '../errors.ts'
import type { OutputSchema } from '../output/output-schema.ts'
import type { Redactor } from '../output/redactor.ts'
import { createRedactor } from '../output/redactor.ts'
import { answerAsText, type TextFormat } from '../output/text.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { AnswersNeeded, answersNeededResult } from './ask.ts'
import type { CallSession, ToolCall } from './call.ts'
import { countCall } from './call-rate.ts'
import { type CompiledTool, SESSION_ARGUMENT } from './compile-tool.ts'
import { explainError } from './explain-error.ts'
import { RunContext } from './run-context.ts'
import { climbSignInLadder } from './sign-in-ladder.ts'
import { startTimeLimit } from './time-limit.ts'
import { ToolError, toolErrorResult } from './tool-error.ts'
import { scrubValue } from './tool-log.ts'
import { watchCall } from './watched-call.ts'

export interface ToolSettings {
  readonly textFormat: TextFormat
  /** For tools that set none of their own. */
  readonly timeoutSeconds: number
}

export type ToolOutcome = CallToolResult | InputRequiredResult

/**
 * A failure is a tool result with `isError`, so that the model can act on it.
 * @throws AppError `unavailable` when the store is away: nothing the model could act on
 */
export function runTool(
  tool: CompiledTool,
  call: ToolCall,
  settings: ToolSettings,
  telemetry: Telemetry,
): Promise<ToolOutcome> {
  const redactor = createRedactor(tool.output?.masksByField ?? new Map())
  return watchCall(tool.definition.name, call, telemetry, async (watched, finish) => {
    try {
      const result = await runChecked(tool, watched, settings, redactor)
      finish(isInputRequiredResult(result) ? 'input_required' : 'ok')
      return result
    } catch (error) {
      if (error instanceof AnswersNeeded) {
        finish('input_required')
        const state = call.carry({ ...call.carried, answers: error.answers })
        return answersNeededResult(error, state)
      }
      const { code, message, unexpected, retryAfterSeconds } = explainError(error, call.signal)
      if (error instanceof AppError && error.code === 'unavailable') {
        finish(code)
        throw error
      }
      if (unexpected) watched.log.error({ err: scrubValue(error, redactor) }, 'tool failed')
      finish(code)
      return toolErrorResult(code, redactor.scrub(message), retryAfterSeconds)
    }
  })
}

async function runChecked(
  tool: CompiledTool,
  call: ToolCall,
  settings: ToolSettings,
  redactor: Redactor,
): Promise<ToolOutcome> {
  const { definition } = tool
  const input = validateInput(tool, call)
  requireScopes(definition.requires?.scopes ?? [], call.scopes)
  if (definition.rateLimit !== undefined) await countCall(definition.rateLimit, call)
  const session = await call.openSession(namedSession(call) ?? call.carried?.session)
  if (definition.requires?.login === true) {
    const waiting = await climbSignInLadder(call, session)
    if (waiting !== undefined) return waiting
  }
  const answer = await runInTime(tool, call, settings, session, input, redactor)
  return toResult(tool, answer, session, settings.textFormat, call)
}

function validateInput({ definition }: CompiledTool, call: ToolCall): Record<string, unknown> {
  // Ours, not the tool's: a strict input would refuse it, a loose one would see the handle.
  const { [SESSION_ARGUMENT]: _session, ...input } = call.arguments
  const parsed = definition.input.safeParse(input)
  if (parsed.success) return parsed.data
  throw new ToolError(`Invalid arguments:\n${z.prettifyError(parsed.error)}`, {
    code: 'invalid_arguments',
  })
}

/** A handle that is no text is a mistake, which must not open a session of its own. */
function namedSession(call: ToolCall): string | undefined {
  const named = call.arguments[SESSION_ARGUMENT]
  if (named === undefined || typeof named === 'string') return named
  throw new ToolError(`Invalid arguments:\n"${SESSION_ARGUMENT}" must be a string.`, {
    code: 'invalid_arguments',
  })
}

/** A caller without a token has no scopes to check; `MCP_AUTH` decides whether it may call at all. */
function requireScopes(required: readonly string[], granted: readonly string[] | undefined): void {
  const missing = granted === undefined ? [] : required.filter((scope) => !granted.includes(scope))
  if (missing.length === 0) return
  throw new ToolError(`This tool needs the scope ${missing.join(' ')}.`, {
    code: 'insufficient_scope',
  })
}

async function runInTime(
  { definition }: CompiledTool,
  call: ToolCall,
  settings: ToolSettings,
  session: CallSession,
  input: Record<string, unknown>,
  redactor: Redactor,
): Promise<unknown> {
  const limit = startTimeLimit(call.signal, definition.timeoutSeconds ?? settings.timeoutSeconds)
  try {
    const running = definition.run(new RunContext(call, { input, session, redactor, limit }))
    // A tool that does not listen to its signal must not hold the caller.
    return await Promise.race([running, limit.reached])
  } catch (error) {
    throw limit.timedOut() ? timedOut(error) : error
  } finally {
    limit.end()
  }
}

function timedOut(cause: unknown): ToolError {
  return new ToolError('The tool did not finish in time.', { code: 'timeout', cause })
}

function toResult(
  { output }: CompiledTool,
  answer: unknown,
  session: CallSession,
  format: TextFormat,
  call: ToolCall,
): CallToolResult {
  const result =
    output === undefined ? contentResult(answer) : structuredResult(output, answer, format)
  if (call.carried?.session !== undefined && session.handle !== undefined) {
    const text = `Signed in. Pass "${SESSION_ARGUMENT}": "${session.handle}" in later calls.`
    result.content.push({ type: 'text', text })
  }
  return result
}

/** What a content tool answers is what its author chose to say. */
function contentResult(answer: unknown): CallToolResult {
  return { content: [...(answer as CallToolResult['content'])] }
}

function structuredResult(
  output: OutputSchema,
  answer: unknown,
  format: TextFormat,
): CallToolResult {
  const structuredContent = parseAnswer(output.parse, answer)
  const text = answerAsText(structuredContent, format)
  return { structuredContent, content: [{ type: 'text', text }] }
}

function parseAnswer(
  parse: (answer: unknown) => Record<string, unknown>,
  answer: unknown,
): Record<string, unknown> {
  try {
    return parse(answer)
  } catch (error) {
    if (!(error instanceof ZodError)) throw error
    throw new ToolError('The answer did not have the form this tool promises.', {
      code: 'invalid_output',
      cause: error,
    })
  }
}
