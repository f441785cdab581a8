/** Runs completions with the limits of their prompt or resource, without input requests. */

import type { CompleteResult } from '@modelcontextprotocol/server'
import type { MaskRule } from '../output/mask.ts'
import { NO_METRICS } from '../telemetry/metrics.ts'
import type { CallKind, ToolCall } from './call.ts'
import type { Complete } from './complete.ts'
import { loginsOf } from './define-tool.ts'
import { isSignedIn } from './require-sign-in.ts'
import { ProtocolRun, SuggestContext } from './run-read.ts'
import type { Declaration, RunSettings } from './run-settings.ts'

/** 2026-07-28, server/utilities/completion: at most 100 values per response. */
const MOST_VALUES = 100

export interface Suggestion {
  readonly kind: CallKind
  readonly declaration: Declaration
  readonly masks: ReadonlyMap<string, MaskRule>
  /** Undefined for an argument or variable without completions. */
  readonly complete: Complete | undefined
  readonly typed: string
  /** Values already chosen for other arguments or variables. */
  readonly given: Readonly<Record<string, string>>
}

const NOTHING: CompleteResult = { completion: { values: [], hasMore: false } }

/**
 * Suggests values; none if a required sign-in is missing.
 * @throws ProtocolError, AppError
 */
export async function runCompletion(
  suggestion: Suggestion,
  call: ToolCall,
  settings: RunSettings,
): Promise<CompleteResult> {
  if (suggestion.complete === undefined) return NOTHING
  const result = await new CompletionRun(suggestion, call, settings).start()
  // A completion cannot return `input_required`.
  return 'completion' in result ? (result as CompleteResult) : NOTHING
}

class CompletionRun extends ProtocolRun<CompleteResult> {
  readonly #suggestion: Suggestion

  constructor(suggestion: Suggestion, call: ToolCall, settings: RunSettings) {
    const { kind, declaration, masks } = suggestion
    const { name, requires, timeoutSeconds } = declaration
    // `run` checks the sign-in; completions count against the request rate limit only.
    const own = {
      name,
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
      ...(requires?.scopes !== undefined && { requires: { scopes: requires.scopes } }),
    }
    const quiet = { ...settings, team: { ...settings.team, hooks: [] } }
    super(kind, own, masks, call, quiet, { metrics: NO_METRICS }, undefined)
    this.#suggestion = suggestion
  }

  protected override get method() {
    return 'completion/complete'
  }

  protected override validate() {
    return this.#suggestion.given
  }

  protected override async run() {
    const { complete, typed, given, declaration } = this.#suggestion
    const logins = loginsOf(declaration.requires)
    if (!logins.every((upstream) => isSignedIn(this.session, upstream))) return []
    return complete?.(typed, new SuggestContext(given, this))
  }

  protected override resultOf(answer: unknown) {
    return this.contentOf(answer)
  }

  protected override contentOf(answer: unknown): CompleteResult {
    const values = valuesOf(answer)
    if (values.some((value) => this.redactor.scrub(value) !== value)) {
      throw new TypeError(
        'complete must not return masked values, which would leave in full: use an index or an id',
      )
    }
    return {
      completion: {
        values: values.slice(0, MOST_VALUES),
        total: values.length,
        hasMore: values.length > MOST_VALUES,
      },
    }
  }

  override shown() {
    return { status: 'ok', content: [] } as const
  }

  protected override get inputMasks() {
    return this.#suggestion.masks
  }

  protected override ended(): void {}
}

/** Numbers are sent as texts. @throws TypeError for what is no list of texts */
function valuesOf(answer: unknown): readonly string[] {
  const isText = (value: unknown) => typeof value === 'string' || Number.isFinite(value)
  if (Array.isArray(answer) && answer.every(isText)) return answer.map(String)
  throw new TypeError('complete must return a list of texts')
}
