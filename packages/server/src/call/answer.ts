/**
 * Writes the response of a fast-path call, and its audit and request log lines from templates. Every
 * field of a line is a hash, a number, one of a closed set, or redacted. `logger.ts` writes all other
 * lines.
 */

import type { JSONRPCResultResponse } from '@modelcontextprotocol/server'
import { shortHash } from '../crypto/hash.ts'
import { AUDITED_AS, type CallAudit } from '../engine/call.ts'
import { redactText } from '../logger/redact-text.ts'
import type { Logger } from '../logger.ts'
import { JsonAnswer } from '../mcp/mcp-request.ts'
import { toWellFormedJson } from '../well-formed.ts'
import type { Call } from './fast-call.ts'
import type { HandOver } from './hand-over.ts'

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
    const outcomeText = label === outcome ? `"${outcome}"` : textOf(outcome)
    // The characters of a tool name need no escaping.
    const nameText = kind === 'tool' ? `"${name}"` : textOf(name)
    const sessionField = session === undefined ? '' : `,"session":"${session}"`
    const clientField = clientId === undefined ? '' : `,"client":${idText(clientId)}`
    const subjectField = subject === undefined ? '' : `,"subject":${textOf(subject)}`
    const members = `${start(call)},"${kind}":${nameText}${sessionField},"outcome":${outcomeText},"ms":${ms}`
    this.#log.known('audit', members + clientField + subjectField, AUDITED_AS[kind])
  }

  /** Logs a call that was answered, or whose client has left. */
  request(call: Call, status = 200): void {
    const ms = Math.round(performance.now() - call.started)
    const { path } = call.route
    const members = `${start(call)},"method":"POST","route":"${path}","status":${status},"ms":${ms}`
    this.#log.known('info', members, 'request')
  }
}

/** The fields that all lines of a call begin with. */
function start(call: Call): string {
  if (call.lineStart !== undefined) return call.lineStart
  const { requestId, mcpSessionId: id } = call
  const own = `,"requestId":${idText(requestId)}`
  call.lineStart = id === undefined ? own : `${own},"connection":"${shortHash(id)}"`
  return call.lineStart
}

function idText(id: string): string {
  return SHORT_ID.test(id) ? `"${id}"` : textOf(id)
}

function textOf(value: string): string {
  return redactText(JSON.stringify(value))
}

/** Answers with a message. */
export function sendAnswer(
  call: Call,
  message: JSONRPCResultResponse,
  { lines, handOver }: { readonly lines: CallLines; readonly handOver: HandOver },
): void {
  if (isForPage(call)) handOver.answer(call, async () => new JsonAnswer(message))
  else writeAnswer(call, message, lines)
}

/** Whether a web page sent the call and needs CORS headers (Fetch Standard, "CORS protocol"). */
export function isForPage(call: Call): boolean {
  return call.incoming.headers.origin !== undefined
}

/** Keeps headers that are set already, such as those of the rate limit. */
export function writeAnswer(call: Call, message: object, lines: CallLines): void {
  const { outgoing, requestId } = call
  // Node.js writes a string and the headers in one chunk; a Buffer would be a second write.
  const text = toWellFormedJson(message)
  outgoing.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-request-id': requestId,
  })
  outgoing.end(text)
  lines.request(call)
}
