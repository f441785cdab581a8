/** The simulated user's answers to elicitations. */

export type PersonsAction = 'accept' | 'decline' | 'cancel'

export interface PersonsAnswer {
  readonly action: PersonsAction
  /** The fields of an accepted form. */
  readonly content?: Readonly<Record<string, unknown>>
}

/** 2025-era clients give up after this number of rounds. */
export const MOST_ROUNDS = 8
