/** Runs one tool call: the order of the checks below is the order of the design. */

import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server'
import { isInputRequiredResult } from '@modelcontextprotocol/server'
import { shortHash } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Redactor } from '../output/redactor.ts'
import type { TextFormat } from '../output/text.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Span } from '../telemetry/tracing.ts'
import { AnswersNeeded, answersNeededResult } from './ask.ts'
import type { CallSession, ToolCall } from './call.ts'
import { countCall } from './call-rate.ts'
import type { CompiledTool } from './compile-tool.ts'
import { loginsOf } from './define-tool.ts'
import { explainError } from './explain-error.ts'
import { outcomeLabel } from './outcome-labels.ts'
import { RunContext } from './run-context.ts'
import { failureOf, type HookRun, hooksOfTool } from './run-hooks.ts'
import { scrubQuestions } from './scrub-questions.ts'
import { scrubValue } from './scrub-value.ts'
import { namedSession, ownArguments, withHandle } from './session-argument.ts'
import { climbSignInLadder } from './sign-in-ladder.ts'
import type { Team } from './team.ts'
import { TimeLimit } from './time-limit.ts'
import { ToolError, toolErrorResult } from './tool-error.ts'
import { hookOutcomeOf, toResult } from './tool-result.ts'
import type { ArgumentsMode } from './validate-input.ts'

export interface ToolSettings {
  readonly textFormat: TextFormat
  /** For tools that set none of their own. */
  readonly timeoutSeconds: number
  /** `lenient` if left out. */
  readonly arguments?: ArgumentsMode
  /** Whether an error can name the tool `login`; it can if left out. */
  readonly hasLoginTool?: boolean
  readonly team: Team
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
  const span = telemetry.tracing?.start(toolSpan(tool.definition.name, call.meta))
  const run = new ToolRun(tool, call, settings, telemetry, span)
  const outcome = span === undefined ? run.outcome() : span.run(() => run.outcome())
  return settings.team.hooks.length === 0 ? outcome : run.withHooksAfter(outcome)
}

/** OpenTelemetry, semantic conventions for MCP, "Server". */
function toolSpan(name: string, carrier: object | undefined) {
  const attributes = {
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': name,
  }
  return { name: `tools/call ${name}`, kind: 'server', attributes, carrier } as const
}

/** One run of a call: what it is checked by, in this order, and what is recorded of it. */
class ToolRun {
  readonly #tool: CompiledTool
  readonly #call: ToolCall
  readonly #settings: ToolSettings
  readonly #metrics: Telemetry['metrics']
  readonly #span: Span | undefined
  readonly #redactor: Redactor
  readonly #started = performance.now()
  /** The session's hash, once it is known. */
  #session: string | undefined
  /** The session, unless the caller named it or is known by it. */
  #opening: CallSession | undefined
  #hooks: HookRun | undefined

  constructor(
    tool: CompiledTool,
    call: ToolCall,
    settings: ToolSettings,
    { metrics }: Telemetry,
    span: Span | undefined,
  ) {
    this.#tool = tool
    this.#call = call
    this.#settings = settings
    this.#metrics = metrics
    this.#span = span
    this.#redactor = settings.team.createRedactor(tool.masks.all)
  }

  async outcome(): Promise<ToolOutcome> {
    this.#metrics.toolStarted()
    try {
      const result = await this.#checked()
      this.#finish(isInputRequiredResult(result) ? 'input_required' : 'ok')
      return result
    } catch (error) {
      if (error instanceof AnswersNeeded) return this.#ask(error)
      return this.#fail(error)
    } finally {
      const { publishing } = this.#call
      if (publishing !== undefined) await publishing
    }
  }

  async #checked(): Promise<ToolOutcome> {
    const call = this.#call
    const { definition } = this.#tool
    const input = validateInput(this.#tool, call, this.#redactor, this.#settings.arguments)
    requireScopes(definition.requires?.scopes ?? [], call.scopes)
    if (definition.rateLimit !== undefined) await countCall(definition.rateLimit, call)
    if (this.#settings.team.hooks.length > 0) {
      this.#hooks = hooksOfTool(this.#tool, call, input, this.#redactor, this.#settings)
      await this.#hooks.before()
    }
    const opening = call.openSession(namedSession(call) ?? call.carried?.session)
    const session = opening instanceof Promise ? await opening : opening
    const id = session.id()
    if (id !== undefined) this.#session = shortHash(id)
    // One that an earlier round opened is new to the caller.
    if (id === undefined || call.carried?.session !== undefined) this.#opening = session
    for (const upstream of loginsOf(definition.requires)) {
      const waiting = await climbSignInLadder(call, session, { ...this.#settings, upstream })
      if (waiting !== undefined) return waiting
    }
    const seconds = definition.timeoutSeconds ?? this.#settings.timeoutSeconds
    const limit = new TimeLimit(call.signal, seconds)
    let answer: unknown
    try {
      const { env } = this.#settings.team
      const run = { call, logOf: this, session, redactor: this.#redactor, limit, env }
      // A tool that does not listen to its signal must not hold the caller.
      answer = await limit.bound<unknown>(definition.run(new RunContext(input, run)))
    } catch (error) {
      throw limit.isTimedOut ? timedOut(error) : error
    } finally {
      limit.end()
    }
    const { textFormat: format } = this.#settings
    const parts = { given: call.arguments, input, redactor: this.#redactor, format }
    return this.#named(toResult(this.#tool, answer, parts))
  }

  /** The outcome, once hooks have seen it. */
  async withHooksAfter(outcome: Promise<ToolOutcome>): Promise<ToolOutcome> {
    try {
      const result = await outcome
      await this.#hooks?.after(hookOutcomeOf(result))
      return result
    } catch (error) {
      const facts = { call: this.#call, redactor: this.#redactor }
      await this.#hooks?.after(failureOf(error, facts))
      throw error
    }
  }

  /** The call's logger, with the tool and the session in its lines. */
  get log(): Logger {
    const session = this.#session
    return this.#call.log.child({
      tool: this.#tool.definition.name,
      ...(session !== undefined && { session }),
    })
  }

  /** What a tool asks is masked like everything else it says. */
  #ask({ requests, answers }: AnswersNeeded): ToolOutcome {
    try {
      const scrubbed = scrubQuestions(requests, this.#redactor)
      const session = this.#opening?.handle
      const opened = session === undefined ? {} : { session }
      const state = this.#call.carry({ ...this.#call.carried, ...opened, answers })
      const result = answersNeededResult(scrubbed, state)
      this.#finish('input_required')
      return result
    } catch (error) {
      return this.#fail(error)
    }
  }

  #fail(error: unknown): ToolOutcome {
    const { scrub } = this.#redactor
    const explained = explainError(error, this.#call.signal)
    const code = scrub(String(explained.code))
    if (error instanceof AppError && error.code === 'unavailable') {
      this.#finish(code)
      throw error
    }
    if (explained.unexpected) {
      this.log.error({ err: scrubValue(error, this.#redactor) }, 'tool failed')
    }
    this.#finish(code)
    return this.#named(toolErrorResult(code, scrub(explained.message), explained.retryAfterSeconds))
  }

  /** A session that the call has opened is named in its result. */
  #named(result: CallToolResult): CallToolResult {
    return this.#opening === undefined ? result : withHandle(result, this.#opening)
  }

  /** Records the call: its metric, its span and its line in the audit log. */
  #finish(outcome: string): void {
    const { name } = this.#tool.definition
    const ms = performance.now() - this.#started
    const label = outcomeLabel(outcome)
    this.#metrics.toolEnded(name, label, ms / 1000)
    if (outcome !== 'ok' && outcome !== 'input_required') this.#span?.fail(label)
    this.#span?.end()
    const { clientId } = this.#call
    const session = this.#session
    this.#call.audit({ tool: name, session, outcome, ms: Math.round(ms), clientId })
  }
}

/** What is masked of the arguments is known first, so that not even a refusal repeats it. */
function validateInput(
  { parseInput, masks }: CompiledTool,
  call: ToolCall,
  redactor: Redactor,
  mode: ArgumentsMode | undefined,
): Record<string, unknown> {
  const given = ownArguments(call.arguments)
  if (masks.input.size === 0) return parseInput(given, redactor, mode)
  redactor.learn(given)
  const input = parseInput(given, redactor, mode)
  redactor.learn(input)
  return input
}

/** A caller without a token has no scopes to check; `MCP_AUTH` decides whether it may call at all. */
function requireScopes(required: readonly string[], granted: readonly string[] | undefined): void {
  const missing = granted === undefined ? [] : required.filter((scope) => !granted.includes(scope))
  if (missing.length === 0) return
  throw new ToolError(`This tool needs the scope ${missing.join(' ')}.`, {
    code: 'insufficient_scope',
  })
}

function timedOut(cause: unknown): ToolError {
  return new ToolError('The tool did not finish in time.', { code: 'timeout', cause })
}
