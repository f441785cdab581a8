/**
 * One run of a tool, a resource or a prompt on behalf of a caller: the checks in their order, and
 * the metric, span and audit log entry.
 */

import { type InputRequiredResult, isInputRequiredResult } from '@modelcontextprotocol/server'
import { shortHash } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { MaskRule } from '../output/mask.ts'
import type { Redactor } from '../output/redactor.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Span } from '../telemetry/tracing.ts'
import { AnswersNeeded, answersNeededResult } from './ask.ts'
import { type CallKind, type CallSession, countCall, type ToolCall } from './call.ts'
import type { HookOutcome } from './define-hook.ts'
import { loginsOf } from './define-tool.ts'
import { requireUpstreamSignIn } from './require-sign-in.ts'
import type { Run } from './run-context.ts'
import { failureOf, type HookRun, hooksOf } from './run-hooks.ts'
import type { Declaration, RunSettings } from './run-settings.ts'
import { scrubQuestions, scrubValue } from './scrub-value.ts'
import { TimeLimit } from './time-limit.ts'
import { type Explanation, explainError, outcomeLabel, ToolError } from './tool-error.ts'

type Input = Record<string, unknown>

/** A failure for the caller, scrubbed. */
export type Failure = Explanation

/** Created per call: methods on the prototype and few fields keep it cheap. */
export abstract class PersonRun<Result extends object> {
  readonly call: ToolCall
  protected readonly settings: RunSettings
  protected readonly metrics: Telemetry['metrics']
  readonly redactor: Redactor
  readonly #kind: CallKind
  readonly #declaration: Declaration
  readonly #span: Span | undefined
  readonly #started = performance.now()
  /** The session's hash, once known. */
  #session: string | undefined
  /** The session, if this call may open it, so that its handle is returned to the caller. */
  protected opening: CallSession | undefined
  #hooks: HookRun | undefined

  constructor(
    kind: CallKind,
    declaration: Declaration,
    masks: ReadonlyMap<string, MaskRule>,
    call: ToolCall,
    settings: RunSettings,
    { metrics }: Pick<Telemetry, 'metrics'>,
    span: Span | undefined,
  ) {
    this.#kind = kind
    this.#declaration = declaration
    this.call = call
    this.settings = settings
    this.metrics = metrics
    this.redactor = settings.team.createRedactor(masks)
    this.#span = span
  }

  /** @throws ToolError `invalid_arguments` */
  protected abstract validate(): Input

  /** The session handle in the call. @throws ToolError `invalid_arguments` */
  protected abstract sessionHandle(): string | undefined

  /** Runs the project's declared function. */
  protected abstract run(input: Input, run: Run): unknown

  /** The result, validated and masked. @throws ToolError `invalid_output` */
  protected abstract resultOf(answer: unknown, input: Input, session: CallSession): Result

  /** Converts a scrubbed failure to a result, or throws. */
  protected abstract failed(failure: Failure, cause: unknown): Result

  protected abstract ended(label: string, seconds: number): void

  /** The method in the log line of a failure; undefined for tools. */
  protected get method(): string | undefined {
    return undefined
  }

  /** The result as passed to hooks. */
  protected abstract shown(result: Result): HookOutcome

  /** Masks of the input, by field. */
  protected abstract get inputMasks(): ReadonlyMap<string, MaskRule>

  /** The input as passed to hooks. */
  protected hookInput(input: Input): Input {
    return input
  }

  protected explain(error: unknown): Explanation {
    return explainError(error, this.call.signal, this.#kind)
  }

  /**
   * Runs, and settles after the `after` hooks.
   * @throws AppError `unavailable` when the store is unavailable, which no model could act on
   */
  start(): Promise<Result | InputRequiredResult> {
    const span = this.#span
    const outcome = span === undefined ? this.#outcome() : span.run(() => this.#outcome())
    return this.settings.team.hooks.length === 0 ? outcome : this.#withHooksAfter(outcome)
  }

  async #withHooksAfter(
    outcome: Promise<Result | InputRequiredResult>,
  ): Promise<Result | InputRequiredResult> {
    try {
      const result = await outcome
      const isAsking = isInputRequiredResult(result)
      await this.#hooks?.after(isAsking ? { status: 'input_required' } : this.shown(result))
      return result
    } catch (error) {
      await this.#hooks?.after(failureOf(error, this))
      throw error
    }
  }

  async #outcome(): Promise<Result | InputRequiredResult> {
    try {
      const result = await this.#checked()
      this.#finish(isInputRequiredResult(result) ? 'input_required' : 'ok')
      return result
    } catch (error) {
      if (error instanceof AnswersNeeded) return this.#ask(error)
      return this.#fail(error)
    } finally {
      const { publishing } = this.call
      if (publishing !== undefined) await publishing
    }
  }

  async #checked(): Promise<Result | InputRequiredResult> {
    const { call } = this
    const { requires, rateLimit, timeoutSeconds } = this.#declaration
    const input = this.validate()
    this.#requireScopes(requires?.scopes ?? [])
    if (rateLimit !== undefined) await countCall(rateLimit, call)
    if (this.settings.team.hooks.length > 0) await this.#hooksBefore(input)
    const opening = call.openSession(this.sessionHandle() ?? call.requestState?.session)
    const session = opening instanceof Promise ? await opening : opening
    const id = session.id()
    if (id !== undefined) this.#session = shortHash(id)
    // A session opened in an earlier round is still new to the caller.
    if (id === undefined || call.requestState?.session !== undefined) this.opening = session
    for (const upstream of loginsOf(requires)) {
      const ladder = { ...this.settings, kind: this.#kind, upstream }
      const waiting = await requireUpstreamSignIn(call, session, ladder)
      if (waiting !== undefined) return waiting
    }
    const limit = new TimeLimit(call.signal, timeoutSeconds ?? this.settings.timeoutSeconds)
    let answer: unknown
    try {
      const { env } = this.settings.team
      const run = { call, logOf: this, session, redactor: this.redactor, limit, env }
      // Enforces the limit even if the run ignores its signal.
      answer = await limit.bound<unknown>(this.run(input, run))
    } catch (error) {
      throw limit.isTimedOut ? this.#timedOut(error) : error
    } finally {
      limit.end()
    }
    return this.resultOf(answer, input, session)
  }

  async #hooksBefore(input: Input): Promise<void> {
    const { call, redactor, inputMasks: masks } = this
    const target = { ...this.#declaration, kind: this.#kind }
    const facts = { input: this.hookInput(input), masks, redactor, call }
    this.#hooks = hooksOf(target, facts, this.settings)
    await this.#hooks.before()
  }

  /** The call's logger, with the declaration's name and the session. */
  get log(): Logger {
    const session = this.#session
    return this.call.log.child({
      [this.#kind]: this.#declaration.name,
      ...(session !== undefined && { session }),
    })
  }

  /** Callers without a token have no scopes to check; `MCP_AUTH` decides whether they may call. */
  #requireScopes(required: readonly string[]): void {
    const { scopes } = this.call
    const missing = scopes === undefined ? [] : required.filter((scope) => !scopes.includes(scope))
    if (missing.length === 0) return
    throw new ToolError(`This ${this.#kind} requires the scope ${missing.join(' ')}.`, {
      code: 'insufficient_scope',
    })
  }

  /** Masks the questions, as all output. */
  #ask({ requests, answers }: AnswersNeeded): Result | InputRequiredResult {
    try {
      const scrubbed = scrubQuestions(requests, this.redactor)
      const { handle: session } = this.opening ?? {}
      const opened = session === undefined ? {} : { session }
      const state = this.call.sealRequestState({ ...this.call.requestState, ...opened, answers })
      const result = answersNeededResult(scrubbed, state)
      this.#finish('input_required')
      return result
    } catch (error) {
      return this.#fail(error)
    }
  }

  #fail(error: unknown): Result {
    const { scrub } = this.redactor
    const explained = this.explain(error)
    const code = scrub(String(explained.code))
    if (error instanceof AppError && error.code === 'unavailable') {
      this.#finish(code)
      throw error
    }
    if (explained.unexpected) {
      const { method } = this
      const err = scrubValue(error, this.redactor)
      const fields = method === undefined ? { err } : { err, method }
      this.log.error(fields, `${this.#kind} failed`)
    }
    this.#finish(code)
    return this.failed({ ...explained, code, message: scrub(explained.message) }, error)
  }

  /** Records the run's metric, span and audit log entry. */
  #finish(outcome: string): void {
    const { name } = this.#declaration
    const ms = performance.now() - this.#started
    const label = outcomeLabel(outcome)
    this.ended(label, ms / 1000)
    if (outcome !== 'ok' && outcome !== 'input_required') this.#span?.fail(label)
    this.#span?.end()
    const { clientId } = this.call
    const session = this.#session
    this.call.audit({ kind: this.#kind, name, session, outcome, ms: Math.round(ms), clientId })
  }

  #timedOut(cause: unknown): ToolError {
    return new ToolError(`The ${this.#kind} did not finish in time.`, { code: 'timeout', cause })
  }
}
