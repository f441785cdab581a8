/** Runs a team's hooks around one call; created only if there are hooks. */

import {
  type InputRequiredResult,
  isInputRequiredResult,
  ProtocolError,
  ResourceNotFoundError,
} from '@modelcontextprotocol/server'
import type { Logger } from '../logger.ts'
import { type MaskRule, maskText, type Redactor } from '../output/mask.ts'
import type { RequestStateContent, ToolCall } from './call.ts'
import type {
  HookCall,
  HookClient,
  HookDefinition,
  HookOutcome,
  HookTarget,
} from './define-hook.ts'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'
import { createToolLog, scrubValue } from './scrub-value.ts'
import type { Team } from './team.ts'
import { type CancelSignal, TimeLimit } from './time-limit.ts'
import type { ToolLog } from './tool-context.ts'
import { explainError, ToolError } from './tool-error.ts'

/** The call that the hooks run around. */
export interface HookFacts {
  readonly target: HookTarget
  readonly input: Readonly<Record<string, unknown>>
  /** Masks of the input, by field. */
  readonly masks: ReadonlyMap<string, MaskRule>
  readonly redactor: Redactor
  readonly call: {
    readonly caller: Caller
    readonly requestState: RequestStateContent | undefined
    readonly signal: CancelSignal
    readonly log: Logger
  }
  readonly client: HookClient
  /** Timeout of each `before`. */
  readonly timeoutSeconds: number
}

const AFTER_SECONDS = 5
const NO_MASKS: ReadonlyMap<string, MaskRule> = new Map()
/** `after` hooks are not cancelled with the call. */
const NEVER: CancelSignal = {
  aborted: false,
  reason: undefined,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
}

export class HookRun {
  readonly #hooks: readonly HookDefinition[]
  readonly #facts: HookFacts
  readonly #call: HookedCall
  /** Number of hooks whose `before` passed. */
  #passed = 0

  constructor({ hooks, env }: Pick<Team, 'hooks' | 'env'>, facts: HookFacts) {
    this.#hooks = hooks
    this.#facts = facts
    this.#call = new HookedCall(facts, env)
  }

  /** @throws ToolError of the hook that rejects the call, or `timeout` */
  async before(): Promise<void> {
    for (const hook of this.#hooks) {
      await this.#before(hook)
      this.#passed += 1
    }
  }

  /** Never rejects. */
  async after(outcome: HookOutcome): Promise<void> {
    const shown = frozenCopy(outcome) as HookOutcome
    for (const hook of this.#hooks.slice(0, this.#passed).reverse()) {
      if (hook.after === undefined) continue
      const limit = new TimeLimit(NEVER, AFTER_SECONDS)
      this.#call.limit = limit
      try {
        await limit.bound(hook.after(this.#call, shown))
      } catch (error) {
        const err = scrubValue(error, this.#facts.redactor)
        this.#facts.call.log.error({ err, hook: hook.name }, 'hook failed after a call')
      } finally {
        limit.end()
      }
    }
  }

  async #before(hook: HookDefinition): Promise<void> {
    if (hook.before === undefined) return
    const limit = new TimeLimit(this.#facts.call.signal, this.#facts.timeoutSeconds)
    this.#call.limit = limit
    try {
      await limit.bound(hook.before(this.#call))
    } catch (error) {
      if (error instanceof ToolError || this.#facts.call.signal.aborted) throw error
      if (!limit.isTimedOut) throw new Error(`The hook "${hook.name}" failed`, { cause: error })
      throw new ToolError('The call was not checked in time.', { code: 'timeout' })
    } finally {
      limit.end()
    }
  }
}

/** A run with validated arguments. */
interface HookedRun extends Pick<HookFacts, 'input' | 'masks' | 'redactor'> {
  readonly call: ToolCall
}

/** Creates the hooks around one run. */
export function hooksOf(
  target: HookTarget & { readonly timeoutSeconds?: number },
  run: HookedRun,
  { team, timeoutSeconds }: { readonly team: Team; readonly timeoutSeconds: number },
): HookRun {
  const { clientName, protocolVersion } = run.call.client.facts ?? {}
  return new HookRun(team, {
    ...{ ...run, target },
    client: { name: clientName, protocolVersion },
    timeoutSeconds: target.timeoutSeconds ?? timeoutSeconds,
  })
}

/** The call as passed to hooks: one object for all of them. */
class HookedCall implements HookCall {
  readonly kind
  readonly name
  readonly title
  readonly annotations
  readonly requires
  readonly input
  readonly caller
  readonly client
  readonly round
  readonly settings
  readonly services
  readonly log: ToolLog
  limit: TimeLimit | undefined

  constructor({ target, input, masks, redactor, call, client }: HookFacts, env: Env) {
    this.kind = target.kind
    this.name = target.name
    this.title = target.title
    this.annotations = target.annotations
    this.requires = target.requires
    this.input = frozenCopy(input, masks, redactor) as Readonly<Record<string, unknown>>
    this.caller = call.caller
    this.client = client
    this.round = call.requestState?.round ?? 1
    this.settings = env.settings
    this.services = env.services
    this.log = createToolLog(call.log, redactor)
  }

  get signal(): AbortSignal {
    return this.limit?.signal ?? AbortSignal.abort()
  }
}

/**
 * A deep-frozen copy, so that hooks cannot change the original. Masks the declared fields, and
 * elsewhere every value known to the redactor.
 */
function frozenCopy(
  value: unknown,
  masks: ReadonlyMap<string, MaskRule> = NO_MASKS,
  redactor?: Redactor,
  rule?: MaskRule,
): unknown {
  if (typeof value !== 'object' || value === null) {
    if (rule !== undefined && isText(value)) return maskText(String(value), rule)
    return typeof value === 'string' && redactor !== undefined ? redactor.scrub(value) : value
  }
  const inside = (item: unknown, name?: string) =>
    frozenCopy(item, masks, redactor, (name === undefined ? undefined : masks.get(name)) ?? rule)
  if (Array.isArray(value)) return Object.freeze(value.map((item) => inside(item)))
  const prototype: unknown = Object.getPrototypeOf(value)
  // Dates and other objects that a schema creates from strings.
  if (prototype !== Object.prototype && prototype !== null) return structuredClone(value)
  const fields = Object.entries(value).map(([name, item]) => [name, inside(item, name)])
  return Object.freeze(Object.fromEntries(fields))
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
}

/** The error outcome, as returned to the caller. */
function failureOf(
  error: unknown,
  { call, redactor }: Pick<HookFacts, 'call' | 'redactor'>,
): HookOutcome {
  if (error instanceof ProtocolError) {
    const code = error instanceof ResourceNotFoundError ? 'not_found' : 'invalid_request'
    return { status: 'error', code, message: redactor.scrub(error.message) }
  }
  const { code, message } = explainError(error, call.signal)
  return { status: 'error', code: redactor.scrub(String(code)), message: redactor.scrub(message) }
}

/** A run whose outcome the hooks see. */
interface HookedOutcome<Result> extends Pick<HookFacts, 'call' | 'redactor'> {
  /** Undefined if the call was refused before its hooks. */
  readonly hooks: HookRun | undefined
  shown(result: Result): HookOutcome
}

/** Settles like the run, after its `after` hooks. */
export async function withHooksAfter<Result extends object>(
  outcome: Promise<Result | InputRequiredResult>,
  run: HookedOutcome<Result>,
): Promise<Result | InputRequiredResult> {
  try {
    const result = await outcome
    const isAsking = isInputRequiredResult(result)
    await run.hooks?.after(isAsking ? { status: 'input_required' } : run.shown(result as Result))
    return result
  } catch (error) {
    await run.hooks?.after(failureOf(error, run))
    throw error
  }
}
