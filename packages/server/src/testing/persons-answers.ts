/** What people at a client say to a question of a test. */

export type PersonsAction = 'accept' | 'decline' | 'cancel'

export interface PersonsAnswer {
  readonly action: PersonsAction
  /** The fields of a form that was accepted. */
  readonly content?: Readonly<Record<string, unknown>>
}

/** The 2025-era clients give up after so many. */
export const MOST_ROUNDS = 8
