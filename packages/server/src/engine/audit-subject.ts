/** How the audit log names people (`AUDIT_SUBJECT`). */

import { shortHash } from '../crypto/hash.ts'

/** Undefined: the audit log does not name people. */
export type AuditSubject = 'hash' | 'subject' | undefined

/** The field `subject` of an audit line; undefined without a person. */
export function auditedSubject(mode: AuditSubject, subject: string | undefined) {
  if (mode === undefined || subject === undefined) return undefined
  return mode === 'hash' ? shortHash(subject) : subject
}
