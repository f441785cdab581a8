/**
 * One run of a tool, a resource or a prompt on behalf of a caller: the checks in their order, and
 * the metric, span and audit log entry.
 */

import type { InputRequiredResult } from '@modelcontextprotocol/server'
import { shortHash } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { MaskRule, Redactor } from '../output/mask.ts'
import { withinBytes } from '../store/text-bytes.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Span } from '../telemetry/tracing.ts'
import { AnswersNeeded, answersNeededResult } from './ask.ts'
import { auditedSubject } from './audit-subject.ts'
import { type CallKind, type CallSession, checkScopes, countCall, type ToolCall } from './call.ts'
import type { HookOutcome } from './define-hook.ts'
import { requireSignIns } from './require-sign-in.ts'
import type { Run } from './run-context.ts'
import { type HookRun, hooksOf, withHooksAfter } from './run-hooks.ts'
import type { Declaration, RunSettings } from './run-settings.ts'
import { scrubQuestions, scrubValue } from './scrub-value.ts'
import { TimeLimit } from './time-limit.ts'
import { type Explanation, explainError, outcomeLabel, timedOut } from './tool-error.ts'

type Input = Record<string, unknown>

const NO_INPUT: Input = {}

/** Created per call: methods on the prototype and few fields keep it cheap. */
export abstract class PersonRun<Result extends object> implements Run {
  readonly call: ToolCall
  /** The validated input. */
  input = NO_INPUT
  /** Both are set before the declared function runs. */
  session!: CallSession
  limit!: TimeLimit
  readonly settings: RunSettings
  protected readonly metrics: Telemetry['metrics']
  readonly #kind: CallKind
  readonly #declaration: Declaration
  readonly #masks: ReadonlyMap<string, MaskRule>
  readonly #span: Span | undefined
  readonly #started = performance.now()
  #redactor: Redactor | undefined
  /** The session's hash, once known. */
  #sessionHash: string | undefined
  /** The session, if this call may open it, so that its handle is returned to the caller. */
  protected opening: CallSession | undefined
  hooks: HookRun | undefined

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
    this.#masks = masks
    this.#span = span
  }

  get redactor(): Redactor {
    this.#redactor ??= this.settings.team.createRedactor(this.#masks)
    return this.#redactor
  }

  /** @throws ToolError `invalid_arguments` */
  protected abstract validate(): Input

  /** The session handle in the call. @throws ToolError `invalid_arguments` */
  protected abstract sessionHandle(): string | undefined

  /** Runs the project's declared function. */
  protected abstract run(): unknown

  /** The result, validated and masked. @throws ToolError `invalid_output` */
  protected abstract resultOf(answer: unknown): Result

  /** Converts a scrubbed failure to a result, or throws. */
  protected abstract failed(failure: Explanation, cause: unknown): Result

  protected abstract ended(label: string, seconds: number): void

  /** The method in the log line of a failure; undefined for tools. */
  protected get method(): string | undefined {
    return undefined
  }

  /** The result as passed to hooks. */
  abstract shown(result: Result): HookOutcome

  /** Masks of the input, by field. */
  protected abstract get inputMasks(): ReadonlyMap<string, MaskRule>

  /** The input as passed to hooks. */
  protected get hookInput(): Input {
    return this.input
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
    return this.settings.team.hooks.length === 0 ? outcome : withHooksAfter(outcome, this)
  }

  async #outcome(): Promise<Result | InputRequiredResult> {
    const { call } = this
    const { requires, timeoutSeconds } = this.#declaration
    try {
      const admitting = this.#admit()
      if (admitting !== undefined) await admitting
      const opening = call.openSession(this.sessionHandle() ?? call.requestState?.session)
      this.#enter(opening instanceof Promise ? await opening : opening)
      if (requires?.login !== undefined) {
        const options = { ...this.settings, kind: this.#kind }
        const asking = await requireSignIns(call, this.session, requires, options)
        if (asking !== undefined) {
          this.#finish('input_required')
          return asking
        }
      }
      this.limit = new TimeLimit(call.signal, timeoutSeconds ?? this.settings.timeoutSeconds)
      // Enforces the limit even if the run ignores its signal.
      const result = this.resultOf(await this.limit.bound(this.run()))
      this.#finish('ok')
      return result
    } catch (error) {
      const isLate = this.limit?.isTimedOut === true
      const cause = isLate ? timedOut(this.#kind, error) : error
      return cause instanceof AnswersNeeded ? this.#ask(cause) : this.#fail(cause)
    } finally {
      this.limit?.end()
      const { publishing } = call
      if (publishing !== undefined) await publishing
    }
  }

  /** The checks before the session is opened; returns a promise only if there is a wait. */
  #admit(): Promise<void> | undefined {
    const { team, refuseBlocked } = this.settings
    const refusing = this.#kind === 'tool' ? refuseBlocked?.(this.call.name) : undefined
    const isCounted = this.#declaration.rateLimit !== undefined
    const waits = refusing !== undefined || isCounted || team.hooks.length > 0
    return waits ? this.#admitLater(refusing) : this.#checkInput()
  }

  async #admitLater(refusing: Promise<void> | undefined): Promise<void> {
    await refusing
    this.#checkInput()
    const { rateLimit } = this.#declaration
    if (rateLimit !== undefined) await countCall(rateLimit, this.call)
    if (this.settings.team.hooks.length === 0) return
    const { call, redactor, inputMasks: masks, hookInput: input } = this
    const target = { ...this.#declaration, kind: this.#kind }
    this.hooks = hooksOf(target, { input, masks, redactor, call }, this.settings)
    await this.hooks.before()
  }

  #checkInput(): undefined {
    this.input = this.validate()
    const scopes = this.#declaration.requires?.scopes
    if (scopes !== undefined) checkScopes(scopes, this.call, this.#kind)
  }

  #enter(session: CallSession): void {
    this.session = session
    const id = session.id()
    if (id !== undefined) this.#sessionHash = shortHash(id)
    // A session opened in an earlier round is still new to the caller.
    if (id === undefined || this.call.requestState?.session !== undefined) this.opening = session
  }

  /** The call's logger, with the declaration's name and the session. */
  get log(): Logger {
    const session = this.#sessionHash
    return this.call.log.child({
      [this.#kind]: this.#declaration.name,
      ...(session !== undefined && { session }),
    })
  }

  /** Masks the questions, as all output. */
  #ask({ requests, answers }: AnswersNeeded): Result | InputRequiredResult {
    try {
      const session = this.opening?.handle ?? this.call.requestState?.session
      const state = this.call.sealRequestState({ ...this.call.requestState, session, answers })
      const result = answersNeededResult(scrubQuestions(requests, this.redactor), state)
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
    const message = withinBytes(scrub(explained.message), this.settings.resultLimitBytes)
    return this.failed({ ...explained, code, message }, error)
  }

  /** Records the run's metric, span and audit log entry. */
  #finish(outcome: string): void {
    const ms = performance.now() - this.#started
    const label = outcome === 'ok' ? outcome : outcomeLabel(outcome)
    this.ended(label, ms / 1000)
    if (outcome !== 'ok' && outcome !== 'input_required') this.#span?.fail(label)
    this.#span?.end()
    const { call, settings } = this
    call.audit({
      kind: this.#kind,
      name: this.#declaration.name,
      session: this.#sessionHash,
      clientId: call.clientId,
      // Identifies the caller only if needed, which may decrypt.
      subject: settings.auditSubject && auditedSubject(settings.auditSubject, call.caller.subject),
      outcome,
      label,
      ms: Math.round(ms),
    })
  }
}
