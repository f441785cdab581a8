/** What a check can say: how it is, what is wrong, and how to mend it. */

export type Verdict = 'ok' | 'warning' | 'wrong' | 'skipped'

export interface Finding {
  readonly verdict: Verdict
  readonly what: string
  /** For warnings and what is wrong: what to change, and where. */
  readonly mend?: string
}

/** What one check found, in the order in which it looked. */
export interface CheckReport {
  /** Stable, for programs. */
  readonly check: string
  readonly title: string
  readonly findings: readonly Finding[]
}

/** It is as clients need it. */
export function ok(what: string): Finding {
  return { verdict: 'ok', what }
}

/** Clients get along, but somebody should look at it. */
export function warning(what: string, mend: string): Finding {
  return { verdict: 'warning', what, mend }
}

/** Some client fails, or somebody is at risk. */
export function wrong(what: string, mend: string): Finding {
  return { verdict: 'wrong', what, mend }
}

/** It was not looked at; `why` says so. */
export function skipped(why: string): Finding {
  return { verdict: 'skipped', what: why }
}

/** One finding or the other, by whether it is so. */
export function whether(isSo: boolean, then: string, otherwise: Finding): Finding {
  return isSo ? ok(then) : otherwise
}
