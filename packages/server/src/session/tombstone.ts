/** The tombstone of an ended token session: prevents its tokens from recreating it. */

import type { Session, SessionRecord } from './record.ts'

export interface Tombstone extends Partial<Pick<SessionRecord, 'browser' | 'grantee' | 'person'>> {
  readonly [field: string]: unknown
  /** Unix time in milliseconds. */
  readonly endedAt: number
}

/** The tombstone's key in the store. */
export function tombstoneKey(id: string): string {
  return `{${id}}:ended`
}

/** @param endedAt Unix time in milliseconds */
export function tombstoneOf(
  session: Pick<Partial<SessionRecord>, 'browser' | 'grantee' | 'person'>,
  endedAt: number,
): Tombstone {
  const { browser, grantee, person } = session
  return {
    endedAt,
    ...(browser !== undefined && { browser }),
    ...(grantee !== undefined && { grantee }),
    ...(person !== undefined && { person }),
  }
}

/**
 * Whether a session has the same owner as an ended one: the same person and client, or, if nobody
 * signed in, the same browser and client.
 */
export function isHeirOf(ended: Tombstone, { browser, grantee, person }: Session): boolean {
  if (grantee === undefined || ended.grantee?.key !== grantee.key) return false
  if (ended.person !== undefined || person !== undefined) return ended.person === person
  return browser !== undefined && ended.browser === browser
}
