/** Fast path of the 2025 era: JSON, or a resumable event stream from a notification or 300 ms on. */

import {
  isInputRequiredResult,
  type LoggingLevel,
  type RequestId,
} from '@modelcontextprotocol/server'
import { Deadline } from '../deadlines.ts'
import { LOGGING_LEVELS } from '../engine/context-arguments.ts'
import type { ToolOutcome } from '../engine/run-tool.ts'
import { AppError } from '../errors.ts'
import type { CallTool } from '../mcp/call-tool.ts'
import { clientOfInitialize } from '../mcp/client-facts.ts'
import {
  type LegacyEndpoint,
  type PostResponseSink,
  STREAM_AFTER_MS,
} from '../mcp/legacy/legacy-endpoint.ts'
import type { McpSession } from '../mcp/legacy/mcp-session-record.ts'
import type { FindMcpSession } from '../mcp/legacy/opened-mcp-sessions.ts'
import type { CountedCall, RunningCalls } from '../mcp/legacy/running-calls.ts'
import type { Limits } from '../mcp/limits.ts'
import type { RequestContext, RequestContexts } from '../mcp/request-context.ts'
import { type CallLines, sendAnswer } from './answer.ts'
import type { Call } from './fast-call.ts'
import type { HandOver } from './hand-over.ts'
import type { ToolMessage } from './message.ts'

export interface McpSessionRunDeps {
  readonly callTool: CallTool
  readonly limits: Limits
  readonly legacy: LegacyEndpoint
  readonly findMcpSession: FindMcpSession
  readonly runningCalls: RunningCalls
  readonly handOver: HandOver
  readonly lines: CallLines
}

/** Shared by all calls, as in `run-call.ts`. */
const CALL_ENDED = new DOMException('The call has ended', 'AbortError')

/** One running call; also the client interface that its tool sees. */
export class McpSessionRun extends Deadline implements CountedCall {
  readonly #deps: McpSessionRunDeps
  readonly #call: Call
  readonly #message: ToolMessage
  readonly #mcpSession: McpSession
  readonly #contexts: RequestContexts
  readonly era = '2025'
  /** Cancels the exchange of the SDK that has taken over the call. */
  #cancel: (() => void) | undefined
  #sink: PostResponseSink | undefined
  /** True until the response is known. */
  #isOpen = true
  /** True until the call releases its slots: running call, and pending response. */
  #isRunning = true
  #isAwaited = true
  #facts: ReturnType<typeof clientOfInitialize> | undefined

  constructor(
    deps: McpSessionRunDeps,
    call: Call,
    message: ToolMessage,
    mcpSession: McpSession,
    contexts: RequestContexts,
  ) {
    super(STREAM_AFTER_MS)
    this.#deps = deps
    this.#call = call
    this.#message = message
    this.#mcpSession = mcpSession
    this.#contexts = contexts
  }

  get counted(): string {
    return this.#mcpSession.sessionId
  }

  get countedAddress(): string {
    return this.#contexts.caller
  }

  get mcpSessionId(): string {
    return this.#mcpSession.id
  }

  get requestId(): RequestId {
    return this.#message.id
  }

  /** Deadline of a JSON response: switches to an event stream, which the client can resume. */
  protected override due(): void {
    this.#openSink().open()
  }

  /** Acquires the slots of the call, and runs it. Never rejects. */
  async answer(requestContext: RequestContext): Promise<void> {
    try {
      this.#deps.runningCalls.start(this)
      const outcome = this.#deps.callTool(this.#call, requestContext)
      let result: ToolOutcome | undefined
      try {
        result = await outcome
      } catch {
        // The SDK answers with the error.
      }
      if (!this.#isOpen) return
      if (result === undefined || isInputRequiredResult(result)) {
        return this.#finishWithSdk(requestContext, outcome)
      }
      this.#end()
      const response = { jsonrpc: '2.0' as const, id: this.#message.id, result }
      if (this.#sink !== undefined) return this.#sink.respond(response)
      this.#releaseAnswer()
      sendAnswer(this.#call, response, this.#deps)
    } catch (error) {
      this.clear()
      this.#deps.handOver.error(this.#call, error)
    }
  }

  cancel(): void {
    if (this.#end()) this.#openSink().discard()
  }

  fail(message: string): void {
    if (this.#end()) this.#openSink().respond(this.#errorOf(message))
  }

  get facts() {
    return this.#client.facts
  }

  get can() {
    return this.#client.can
  }

  /** Sends a log notification, unless the client's log level filters it out. */
  async log(level: LoggingLevel, data: unknown): Promise<void> {
    const { logLevel } = this.#mcpSession
    const least = logLevel === null ? 0 : LOGGING_LEVELS.indexOf(logLevel)
    if (LOGGING_LEVELS.indexOf(level) >= least)
      this.#notify('notifications/message', { level, data })
  }

  closeStream(): void {
    if (this.#isOpen) this.#openSink().closeStream?.()
  }

  async elicitationCompleted(elicitationId: string): Promise<void> {
    this.#notify('notifications/elicitation/complete', { elicitationId })
  }

  get #client() {
    this.#facts ??= clientOfInitialize(this.#mcpSession)
    return this.#facts
  }

  #notify(method: string, params: Record<string, unknown>): void {
    if (this.#isOpen) this.#openSink().notify({ jsonrpc: '2.0', method, params })
  }

  /** Hands the call over to Hono, which answers with the response of the sink. */
  #openSink(): PostResponseSink {
    if (this.#sink !== undefined) return this.#sink
    const sink = this.#makeSink()
    this.#deps.handOver.answer(this.#call, () => sink.response)
    return sink
  }

  #makeSink(): PostResponseSink {
    this.clear()
    this.#sink = this.#deps.legacy.createSink({
      mcpSession: this.#mcpSession,
      requestId: this.#message.id,
      storage: this.#contexts.storage,
      // Fenced: another node has declared this call dead and answered it.
      fenced: () => (this.#cancel === undefined ? this.cancel() : this.#cancel()),
      disconnect: () => void this.#call.outgoing.destroy(),
      release: () => this.#releaseAnswer(),
    })
    return this.#sink
  }

  /** Continues the exchange in the SDK, with the same response sink if it is open. */
  #finishWithSdk(requestContext: RequestContext, outcome: ReturnType<CallTool>): void {
    const { legacy, handOver } = this.#deps
    const [message, mcpSession] = [this.#message.request, this.#mcpSession]
    this.#releaseCall()
    const sinkOf = (cancel: () => void) => {
      this.#cancel = cancel
      const sink = this.#sink ?? this.#makeSink()
      return { ...sink, ...this.#ending(sink) }
    }
    // In the same tick, so that no other call acquires the slot that was just released.
    const answer = legacy.finish({ message, mcpSession, requestContext, outcome, sinkOf })
    answer.catch((error: unknown) => {
      this.#end()
      this.#releaseAnswer()
      const text = error instanceof AppError ? error.message : 'Something went wrong.'
      this.#sink?.respond(this.#errorOf(text))
    })
    handOver.answer(this.#call, () => answer)
  }

  #errorOf(message: string) {
    return { jsonrpc: '2.0' as const, id: this.#message.id, error: { code: -32603, message } }
  }

  /** Wraps the sink: the end of the exchange also cancels pending work of the tool. */
  #ending(sink: PostResponseSink): Pick<PostResponseSink, 'respond' | 'discard'> {
    return {
      respond: (message) => {
        this.#end()
        sink.respond(message)
      },
      discard: () => {
        this.#end()
        sink.discard()
      },
    }
  }

  /** Once the response is sent or cut off: a slow reader keeps its slot. */
  #releaseAnswer(): void {
    const release = () => {
      if (this.#isAwaited) this.#deps.limits.answers.release(this.counted, this.countedAddress)
      this.#isAwaited = false
    }
    if (this.#call.outgoing.destroyed) release()
    else this.#call.outgoing.on('close', release)
  }

  /** Removes the call from the running calls and releases its slot; the exchange may continue. */
  #releaseCall(): void {
    if (!this.#isRunning) return
    this.#isRunning = false
    this.clear()
    this.#deps.runningCalls.end(this)
  }

  /** Returns false if the call has ended before. */
  #end(): boolean {
    if (!this.#isOpen) return false
    this.#isOpen = false
    this.#releaseCall()
    this.#call.abort(CALL_ENDED)
    return true
  }
}
