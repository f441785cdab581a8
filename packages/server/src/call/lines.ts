/**
 * The audit and request log lines of a call, built from templates. Every field is a hash, a number,
 * one of a closed set, or redacted. `logger.ts` writes all other lines.
 */

import { shortHash } from '../crypto/hash.ts'
import { AUDITED_AS, type CallAudit } from '../engine/call.ts'
import { redactText } from '../logger/redact-text.ts'
import type { Logger } from '../logger.ts'
import type { Call } from './fast-call.ts'

/** Too short for a secret: ids and tokens are longer, so that no redaction is needed. */
const SHORT_ID = /^[A-Za-z0-9._-]{1,40}$/

export class CallLines {
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  /** The logger for all other lines of a call. */
  loggerOf(call: Call): Logger {
    const { requestId, mcpSessionId: id } = call
    return this.#log.child({ requestId, ...(id !== undefined && { connection: shortHash(id) }) })
  }

  audit(call: Call, entry: CallAudit): void {
    const { kind, name, session, outcome, label, ms, clientId, subject } = entry
    // Tools may fail with error codes of their own: only known outcomes skip redaction.
    const said = label === outcome ? `"${outcome}"` : textOf(outcome)
    // The characters of a tool name need no escaping.
    const named = kind === 'tool' ? `"${name}"` : textOf(name)
    const of = session === undefined ? '' : `,"session":"${session}"`
    const client = clientId === undefined ? '' : `,"client":${textOf(clientId)}`
    const person = subject === undefined ? '' : `,"subject":${textOf(subject)}`
    const members = `${start(call)},"${kind}":${named}${of},"outcome":${said},"ms":${ms}${client}`
    this.#log.known('audit', members + person, AUDITED_AS[kind])
  }

  /** Logs a call that was answered with status 200. */
  request(call: Call): void {
    const ms = Math.round(performance.now() - call.started)
    const { path } = call.route
    const members = `${start(call)},"method":"POST","route":"${path}","status":200,"ms":${ms}`
    this.#log.known('info', members, 'request')
  }
}

/** The fields that all lines of a call begin with. */
function start({ requestId, mcpSessionId: id }: Call): string {
  const own = SHORT_ID.test(requestId) ? `,"requestId":"${requestId}"` : ofMember(requestId)
  return id === undefined ? own : `${own},"connection":"${shortHash(id)}"`
}

function ofMember(requestId: string): string {
  return `,"requestId":${textOf(requestId)}`
}

function textOf(value: string): string {
  return redactText(JSON.stringify(value))
}
