/**
 * The two log lines of a call, by template: every member is a hash, a number, one of a closed set, or
 * has passed the search for secrets. All other lines are those of `logger.ts`.
 */

import { shortHash } from '../crypto/hash.ts'
import { AUDITED_AS, type CallAudit } from '../engine/call.ts'
import { outcomeLabel } from '../engine/outcome-labels.ts'
import { redactText } from '../logger/redact-text.ts'
import type { Logger } from '../logger.ts'
import type { Call } from './call.ts'

/** Nothing in it could be a secret: ids and tokens are longer. */
const SHORT_ID = /^[A-Za-z0-9._-]{1,40}$/

export class CallLines {
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  /** For all that is said of a call besides. */
  loggerOf(call: Call): Logger {
    const { requestId, connectionId: id } = call
    return this.#log.child({ requestId, ...(id !== undefined && { connection: shortHash(id) }) })
  }

  audit(call: Call, { kind, name, session, outcome, ms, clientId }: CallAudit): void {
    // A tool may fail with a code of its own.
    const said = outcomeLabel(outcome) === outcome ? `"${outcome}"` : textOf(outcome)
    // The name of a tool has none but safe characters.
    const named = kind === 'tool' ? `"${name}"` : textOf(name)
    const of = session === undefined ? '' : `,"session":"${session}"`
    const client = clientId === undefined ? '' : `,"client":${textOf(clientId)}`
    const members = `${start(call)},"${kind}":${named}${of},"outcome":${said},"ms":${ms}${client}`
    this.#log.known('audit', members, AUDITED_AS[kind])
  }

  /** The call was answered with status 200. */
  request(call: Call): void {
    const ms = Math.round(performance.now() - call.started)
    const { path } = call.route
    const members = `${start(call)},"method":"POST","route":"${path}","status":200,"ms":${ms}`
    this.#log.known('info', members, 'request')
  }
}

/** The members that all lines of a call begin with. */
function start({ requestId, connectionId: id }: Call): string {
  const own = SHORT_ID.test(requestId) ? `,"requestId":"${requestId}"` : ofMember(requestId)
  return id === undefined ? own : `${own},"connection":"${shortHash(id)}"`
}

function ofMember(requestId: string): string {
  return `,"requestId":${textOf(requestId)}`
}

function textOf(value: string): string {
  return redactText(JSON.stringify(value))
}
