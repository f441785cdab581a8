/** Runs one tool call: the order of the checks below is the order of the design. */

import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server'
import { isInputRequiredResult } from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import type { Redactor } from '../output/redactor.ts'
import { createRedactor } from '../output/redactor.ts'
import type { TextFormat } from '../output/text.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { AnswersNeeded, answersNeededResult } from './ask.ts'
import type { CallSession, ToolCall } from './call.ts'
import { countCall } from './call-rate.ts'
import { type CompiledTool, SESSION_ARGUMENT } from './compile-tool.ts'
import { explainError } from './explain-error.ts'
import { RunContext } from './run-context.ts'
import { scrubQuestions } from './scrub-questions.ts'
import { scrubValue } from './scrub-value.ts'
import { climbSignInLadder } from './sign-in-ladder.ts'
import { startTimeLimit } from './time-limit.ts'
import { ToolError, toolErrorResult } from './tool-error.ts'
import { toResult } from './tool-result.ts'
import { watchCall } from './watched-call.ts'

export interface ToolSettings {
  readonly textFormat: TextFormat
  /** For tools that set none of their own. */
  readonly timeoutSeconds: number
  /** Whether an error can name the tool `login`; it can if left out. */
  readonly hasLoginTool?: boolean
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
  const redactor = createRedactor(tool.masks.all)
  return watchCall(tool.definition.name, call, telemetry, async (watched, finish) => {
    try {
      const result = await runOrAsk(tool, watched, settings, redactor)
      finish(isInputRequiredResult(result) ? 'input_required' : 'ok')
      return result
    } catch (error) {
      const explained = explainError(error, call.signal)
      const code = redactor.scrub(String(explained.code))
      if (error instanceof AppError && error.code === 'unavailable') {
        finish(code)
        throw error
      }
      if (explained.unexpected) {
        watched.log.error({ err: scrubValue(error, redactor) }, 'tool failed')
      }
      finish(code)
      return toolErrorResult(code, redactor.scrub(explained.message), explained.retryAfterSeconds)
    }
  })
}

/** Runs the tool; what it asks is masked like everything else it says. */
async function runOrAsk(
  tool: CompiledTool,
  call: ToolCall,
  settings: ToolSettings,
  redactor: Redactor,
): Promise<ToolOutcome> {
  try {
    return await runChecked(tool, call, settings, redactor)
  } catch (error) {
    if (!(error instanceof AnswersNeeded)) throw error
    const requests = scrubQuestions(error.requests, redactor)
    const state = call.carry({ ...call.carried, answers: error.answers })
    return answersNeededResult(requests, state)
  }
}

async function runChecked(
  tool: CompiledTool,
  call: ToolCall,
  settings: ToolSettings,
  redactor: Redactor,
): Promise<ToolOutcome> {
  const { definition } = tool
  const input = validateInput(tool, call, redactor)
  requireScopes(definition.requires?.scopes ?? [], call.scopes)
  if (definition.rateLimit !== undefined) await countCall(definition.rateLimit, call)
  const session = await call.openSession(namedSession(call) ?? call.carried?.session)
  if (definition.requires?.login === true) {
    const waiting = await climbSignInLadder(call, session, settings)
    if (waiting !== undefined) return waiting
  }
  const answer = await runInTime(tool, call, settings, session, input, redactor)
  const result = toResult(tool, [call.arguments, input], answer, settings.textFormat)
  if (call.carried?.session !== undefined && session.handle !== undefined) {
    const text = `Signed in. Pass "${SESSION_ARGUMENT}": "${session.handle}" in later calls.`
    result.content.push({ type: 'text', text })
  }
  return result
}

/** What is masked of the arguments is known first, so that not even a refusal repeats it. */
function validateInput(
  { parseInput, masks }: CompiledTool,
  call: ToolCall,
  redactor: Redactor,
): Record<string, unknown> {
  // Ours, not the tool's: a strict input would refuse it, a loose one would see the handle.
  const { [SESSION_ARGUMENT]: _session, ...given } = call.arguments
  if (masks.input.size === 0) return parseInput(given, redactor)
  redactor.learn(given)
  const input = parseInput(given, redactor)
  redactor.learn(input)
  return input
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
