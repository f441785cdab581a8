/** How the audit log names people (`AUDIT_SUBJECT`). */

import { shortHash } from '../crypto/hash.ts'
import type { ToolCall } from './call.ts'

/** Undefined: the audit log does not name people. */
export type AuditSubject = 'hash' | 'subject' | undefined

/** The field `subject` of a call. Identifies the caller only if needed, which may decrypt. */
export function auditedCaller(mode: AuditSubject, call: Pick<ToolCall, 'caller'>) {
  return mode && auditedSubject(mode, call.caller.subject)
}

/** The field `subject` of an audit line; undefined without a person. */
export function auditedSubject(mode: AuditSubject, subject: string | undefined) {
  if (mode === undefined || subject === undefined) return undefined
  return mode === 'hash' ? shortHash(subject) : subject
}
