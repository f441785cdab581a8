/** The results of checks: the observation, the verdict, and the fix. */

export type Verdict = 'ok' | 'warning' | 'wrong' | 'skipped'

export interface Finding {
  readonly verdict: Verdict
  readonly what: string
  /** For warnings and faults: what to change, and where. */
  readonly mend?: string
}

/** The findings of one check, in order. */
export interface CheckReport {
  /** Stable, for programs. */
  readonly check: string
  readonly title: string
  readonly findings: readonly Finding[]
}

/** Meets the clients' requirements. */
export function ok(what: string): Finding {
  return { verdict: 'ok', what }
}

/** Clients work, but the operator should look at it. */
export function warning(what: string, mend: string): Finding {
  return { verdict: 'warning', what, mend }
}

/** A client fails, or there is a security risk. */
export function wrong(what: string, mend: string): Finding {
  return { verdict: 'wrong', what, mend }
}

/** Not checked; `why` is the reason. */
export function skipped(why: string): Finding {
  return { verdict: 'skipped', what: why }
}

/** The first finding if the condition holds, otherwise the second. */
export function whether(isSo: boolean, then: string, otherwise: Finding): Finding {
  return isSo ? ok(then) : otherwise
}
