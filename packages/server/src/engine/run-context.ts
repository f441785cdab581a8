/**
 * The context of one run; creates each part lazily. Values that the tool reads from its session are
 * masked in its output.
 */

import type { Logger } from '../logger.ts'
import type { Redactor } from '../output/mask.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { type Ask, createAsk } from './ask.ts'
import type { CallSession, ToolCall } from './call.ts'
import { requireNumber, requireText, toJsonValue } from './context-arguments.ts'
import type { Caller } from './identity.ts'
import type { RunSettings } from './run-settings.ts'
import { createToolLog, scrubbedAnnounce, scrubbedClient } from './scrub-value.ts'
import type { TimeLimit } from './time-limit.ts'
import {
  type Account,
  type Announce,
  type ToolClient,
  ToolContext,
  type ToolLog,
  type ToolSession,
} from './tool-context.ts'

/** The run that a context belongs to. */
export interface Run {
  readonly call: ToolCall
  readonly input: Record<string, unknown>
  /** Adds the tool and the session to log lines. */
  readonly log: Logger
  readonly session: CallSession
  readonly redactor: Redactor
  readonly limit: TimeLimit
  readonly settings: Pick<RunSettings, 'team' | 'resultLimitBytes'>
}

/** Getters on the class: own accessors would give each object a hidden class of its own. */
export class RunContext extends ToolContext<Record<string, unknown>> {
  override readonly input
  readonly #run: Run
  #session: ToolSession | undefined
  #upstream: Upstream | undefined
  #client: ToolClient | undefined
  #announce: Announce | undefined
  #ask: Ask | undefined
  #log: ToolLog | undefined

  constructor(run: Run) {
    super()
    this.input = run.input
    this.#run = run
  }

  override get signal(): AbortSignal {
    return this.#run.limit.signal
  }

  override get caller(): Caller {
    return this.#run.call.caller
  }

  override get settings(): object {
    return this.#run.settings.team.env.settings
  }

  override get services(): object {
    return this.#run.settings.team.env.services
  }

  override get session(): ToolSession {
    const { session, redactor } = this.#run
    this.#session ??= watchSession(session, redactor.learn)
    return this.#session
  }

  override get upstream(): Upstream {
    const { call, session, redactor, limit } = this.#run
    this.#upstream ??= call.upstreamFor(session, redactor.learn, limit)
    return this.#upstream
  }

  override get client(): ToolClient {
    this.#client ??= scrubbedClient(this.#run.call.client, this.#run)
    return this.#client
  }

  override get announce(): Announce {
    this.#announce ??= scrubbedAnnounce(this.#run.call.announce, this.#run.redactor)
    return this.#announce
  }

  override get ask(): Ask {
    const { requestState, responses } = this.#run.call
    this.#ask ??= createAsk({ ...requestState?.answers, ...responses })
    return this.#ask
  }

  override get progress(): ToolContext<unknown>['progress'] {
    const run = this.#run
    return (done, total, message) => {
      // Throws before it returns a promise, as `client.log` does.
      requireNumber(done, 'progress: done')
      if (total !== undefined) requireNumber(total, 'progress: the total')
      if (message !== undefined) requireText(message, 'progress: the message')
      return sendProgress(run, done, total, message)
    }
  }

  override get log(): ToolLog {
    this.#log ??= createToolLog(this.#run.log, this.#run.redactor)
    return this.#log
  }
}

async function sendProgress(
  { call, limit, redactor, log }: Run,
  done: number,
  total: number | undefined,
  message: string | undefined,
): Promise<void> {
  if (limit.isOver) return
  await call
    .progress(done, total, message && redactor.scrub(message))
    .catch((error: unknown) => log.debug({ err: error }, 'progress not sent'))
}

/** `onRead` receives values under their names in the tool, by which masked fields are matched. */
function watchSession(session: ToolSession, onRead: (value: unknown) => void): ToolSession {
  return new WatchedSession(session, onRead)
}

/** A class: own getters would give each object a hidden class of its own, which is slow. */
class WatchedSession implements ToolSession {
  readonly #session: ToolSession
  readonly #onRead: (value: unknown) => void
  readonly startSignIn: ToolSession['startSignIn']
  readonly isSignedIn: ToolSession['isSignedIn']
  readonly end: ToolSession['end']
  readonly set: ToolSession['set']

  constructor(session: ToolSession, onRead: (value: unknown) => void) {
    this.#session = session
    this.#onRead = onRead
    // Bound, since tools destructure the session.
    this.startSignIn = (upstream) => session.startSignIn(upstream)
    this.isSignedIn = (upstream) => session.isSignedIn(upstream)
    this.end = () => session.end()
    this.set = (name, value) => {
      requireText(name, 'session.set: the name')
      // Undefined removes the value.
      const stored = value === undefined ? value : toJsonValue(value, 'session.set: the value')
      return session.set(name, stored)
    }
    this.account = this.account.bind(this)
    this.get = this.get.bind(this)
  }

  get state() {
    return this.#session.state
  }

  get connectedAt() {
    return this.#session.connectedAt
  }

  get expiresAt() {
    return this.#session.expiresAt
  }

  get handle() {
    return this.#session.handle
  }

  async account(upstream?: string): Promise<Account | undefined> {
    const account = await this.#session.account(upstream)
    this.#onRead(account)
    return account
  }

  get(name: string): unknown {
    const value = this.#session.get(name)
    this.#onRead({ [name]: value })
    return value
  }
}
