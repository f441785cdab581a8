/**
 * Runs the tool of a plain call of the 2025 era: it is answered as JSON, or by a stream once there is
 * something to say first, or after 300 ms, so that its client can come back for it.
 */

import {
  isInputRequiredResult,
  type LoggingLevel,
  type RequestId,
} from '@modelcontextprotocol/server'
import { Deadline } from '../deadlines.ts'
import { AppError } from '../errors.ts'
import { JsonAnswer } from '../mcp/answer.ts'
import type { CallTool } from '../mcp/call-tool.ts'
import { clientOfInitialize } from '../mcp/client-facts.ts'
import type { Connection } from '../mcp/legacy/connection.ts'
import type { LegacyEndpoint } from '../mcp/legacy/endpoint.ts'
import type { Outlet } from '../mcp/legacy/outlet.ts'
import { type PostOutlet, STREAM_AFTER_MS } from '../mcp/legacy/post-outlet.ts'
import type { CountedCall, RunningCalls } from '../mcp/legacy/running-calls.ts'
import type { Limits } from '../mcp/limits.ts'
import type { Origin, RequestOrigins } from '../mcp/origin.ts'
import { isForPage, writeAnswer } from './answer.ts'
import type { Call } from './call.ts'
import type { HandOver } from './hand-over.ts'
import type { CallLines } from './lines.ts'
import type { ToolMessage } from './message.ts'

export interface ConnectionRunDeps {
  readonly callTool: CallTool
  readonly limits: Limits
  readonly legacy: LegacyEndpoint
  readonly running: RunningCalls
  readonly handOver: HandOver
  readonly lines: CallLines
}

/** 2025-11-25, server/utilities/logging, from the least to the most severe. */
const LEVELS = 'debug info notice warning error critical alert emergency'.split(' ')

/** One for all, as in `run.ts`. */
const CALL_ENDED = new DOMException('The call has ended', 'AbortError')

/** One call, and the client as its tool sees it. */
export class ConnectionRun extends Deadline implements CountedCall {
  readonly #deps: ConnectionRunDeps
  readonly #call: Call
  readonly #message: ToolMessage
  readonly #connection: Connection
  readonly #origins: RequestOrigins
  /** Stops what the SDK makes of it. */
  #cancel: (() => void) | undefined
  #outlet: PostOutlet | undefined
  /** Until its answer is known. */
  #isOpen = true
  /** Until it gives back its place of a running call, and that of a request that waits. */
  #isRunning = true
  #isAwaited = true
  #facts: ReturnType<typeof clientOfInitialize> | undefined

  constructor(
    deps: ConnectionRunDeps,
    call: Call,
    message: ToolMessage,
    connection: Connection,
    origins: RequestOrigins,
  ) {
    super(STREAM_AFTER_MS)
    this.#deps = deps
    this.#call = call
    this.#message = message
    this.#connection = connection
    this.#origins = origins
    try {
      deps.running.start(this)
    } catch (error) {
      this.clear()
      throw error
    }
  }

  get counted(): string {
    return this.#connection.sessionId
  }

  get countedAddress(): string {
    return this.#origins.caller
  }

  get connectionId(): string {
    return this.#connection.id
  }

  get requestId(): RequestId {
    return this.#message.id
  }

  /** The answer takes too long: its client has to be able to come back for it. */
  protected override due(): void {
    this.#openOutlet().open()
  }

  async answer(origin: Origin): Promise<void> {
    const outcome = this.#deps.callTool(this.#call, origin)
    const result = await outcome.catch(() => undefined)
    if (!this.#isOpen) return
    if (result === undefined || isInputRequiredResult(result)) {
      this.#finishWithSdk(origin, outcome)
      return
    }
    this.#end()
    const said = { jsonrpc: '2.0' as const, id: this.#message.id, result }
    if (this.#outlet !== undefined) {
      this.#outlet.answer(said)
      return
    }
    this.#giveAnswerBack()
    if (isForPage(this.#call)) {
      this.#deps.handOver.answer(this.#call, async () => new JsonAnswer(said))
    } else {
      writeAnswer(this.#call, said, this.#deps.lines)
    }
  }

  cancel(): void {
    if (this.#end()) this.#openOutlet().drop()
  }

  fail(text: string): void {
    if (!this.#end()) return
    const error = { code: -32603, message: text }
    this.#openOutlet().answer({ jsonrpc: '2.0', id: this.#message.id, error })
  }

  get era() {
    return this.#client.era
  }

  get facts() {
    return this.#client.facts
  }

  get can() {
    return this.#client.can
  }

  /** A log line for the client, if it wants lines of that level. */
  async log(level: LoggingLevel, data: unknown): Promise<void> {
    const { logLevel } = this.#connection
    const least = logLevel === null ? 0 : LEVELS.indexOf(logLevel)
    if (LEVELS.indexOf(level) >= least) this.#tell('notifications/message', { level, data })
  }

  hangUp(): void {
    if (this.#isOpen) this.#openOutlet().hangUp?.()
  }

  async elicitationCompleted(elicitationId: string): Promise<void> {
    this.#tell('notifications/elicitation/complete', { elicitationId })
  }

  get #client() {
    this.#facts ??= clientOfInitialize(this.#connection)
    return this.#facts
  }

  #tell(method: string, params: Record<string, unknown>): void {
    if (this.#isOpen) this.#openOutlet().tell({ jsonrpc: '2.0', method, params })
  }

  /** From here on Hono answers, with what the outlet makes of it. */
  #openOutlet(): PostOutlet {
    if (this.#outlet !== undefined) return this.#outlet
    const outlet = this.#makeOutlet()
    this.#deps.handOver.answer(this.#call, () => outlet.response)
    return outlet
  }

  #makeOutlet(): PostOutlet {
    this.clear()
    this.#outlet = this.#deps.legacy.outlet({
      connection: this.#connection,
      requestId: this.#message.id,
      storage: this.#origins.storage,
      // Another node declared it dead.
      fenced: () => (this.#cancel === undefined ? this.cancel() : this.#cancel()),
      release: () => this.#giveAnswerBack(),
    })
    return this.#outlet
  }

  /** Its exchange with the client goes on as one of the SDK's, under the same outlet. */
  #finishWithSdk(origin: Origin, outcome: ReturnType<CallTool>): void {
    const { legacy, handOver } = this.#deps
    const isAnswered = this.#outlet !== undefined
    const { request: message, id } = this.#message
    this.#leave()
    const outletOf = (cancel: () => void) => {
      this.#cancel = cancel
      const outlet = this.#outlet ?? this.#makeOutlet()
      return { ...outlet, ...this.#closing(outlet) }
    }
    // At once, so that nobody else takes the place of the call.
    const connection = this.#connection
    const finishing = legacy.finish({ message, connection, origin, outcome, outletOf })
    finishing.catch((error: unknown) => {
      this.#end()
      this.#giveAnswerBack()
      const text = error instanceof AppError ? error.message : 'Something went wrong.'
      this.#outlet?.answer({ jsonrpc: '2.0', id, error: { code: -32603, message: text } })
    })
    if (!isAnswered) handOver.answer(this.#call, () => finishing)
  }

  /** What ends the exchange ends what the tool left waiting, too. */
  #closing(outlet: PostOutlet): Pick<Outlet, 'answer' | 'drop'> {
    return {
      answer: (message) => {
        this.#end()
        outlet.answer(message)
      },
      drop: () => {
        this.#end()
        outlet.drop()
      },
    }
  }

  #giveAnswerBack(): void {
    if (!this.#isAwaited) return
    this.#isAwaited = false
    this.#deps.limits.answers.give(this.counted, this.countedAddress)
  }

  /** Takes the call out of those that run; the exchange may go on. */
  #leave(): void {
    if (!this.#isRunning) return
    this.#isRunning = false
    this.clear()
    this.#deps.running.end(this)
  }

  /** False when it was over before. */
  #end(): boolean {
    if (!this.#isOpen) return false
    this.#isOpen = false
    this.#leave()
    this.#call.abort(CALL_ENDED)
    return true
  }
}
