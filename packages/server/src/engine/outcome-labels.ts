/** Outcome labels in metrics: a fixed list, which bounds their cardinality whatever tools throw. */

import { statusOf } from '../errors.ts'
import { isUpstreamErrorCode } from '../upstream/upstream-error.ts'

const OF_THE_ENGINE: ReadonlySet<string> = new Set([
  ...['ok', 'input_required', 'cancelled', 'timeout', 'tool_failed'],
  ...['invalid_arguments', 'invalid_output', 'session_not_found', 'login_declined'],
])

/** The outcome itself, or `other` for a tool's own code. */
export function outcomeLabel(outcome: string): string {
  const isKnown =
    OF_THE_ENGINE.has(outcome) || statusOf(outcome) !== undefined || isUpstreamErrorCode(outcome)
  return isKnown ? outcome : 'other'
}
