/** Opens a team's services before readiness, and closes them after the last call. */

import { setTimeout as delay } from 'node:timers/promises'
import { createHideSecrets } from '../logger/secret-values.ts'
import type { Logger } from '../logger.ts'
import { createRedactors } from '../output/mask.ts'
import { requireUri } from './context-arguments.ts'
import type { AnyEnvDefinition, OpenService } from './define-services.ts'
import { createToolLog } from './scrub-value.ts'
import type { Announce } from './tool-context.ts'

/** A service failed to start, so the server does not start; the message names the service. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
}

export interface ServicesOptions {
  readonly settings: Readonly<Record<string, unknown>>
  /** Values redacted from messages. */
  readonly secrets: readonly string[]
  readonly log: Logger
  readonly timeoutSeconds: number
  /** Timeout for closing one service; default 10 s. */
  readonly closeMs?: number
}

export interface OpenedServices {
  readonly services: object
  /** Publishes the queued notifications of services, and from now on new ones directly. */
  join(announce: Announce): void
  /** Closes in reverse order. Never rejects: a service that fails or hangs blocks no other. */
  close(): Promise<void>
}

const CLOSE_MS = 10_000
const NOTHING_OPENED: OpenedServices = {
  services: {},
  join: () => undefined,
  close: async () => undefined,
}

/**
 * Runs a team's `services` function.
 * @throws ServiceError for a service that fails, or hangs longer than `timeoutSeconds`; closes the
 * services that were already open
 */
export async function openServices(
  definition: AnyEnvDefinition | undefined,
  options: ServicesOptions,
): Promise<OpenedServices> {
  if (definition?.services === undefined) return NOTHING_OPENED
  const opening = new ServiceStack(options)
  const { announce, join } = queuedAnnounce()
  const { log, secrets, settings } = options
  const context = {
    ...{ settings, announce, signal: opening.signal },
    open: opening.open,
    log: createToolLog(log, createRedactors(secrets)(new Map())),
  }
  try {
    const services: unknown = await opening.inTime(async () => definition.services?.(context))
    if (definition.services !== undefined && (typeof services !== 'object' || services === null)) {
      throw new ServiceError('services in src/mcp.ts must return an object of services.')
    }
    return { services: (services ?? {}) as object, join, close: () => opening.close() }
  } catch (error) {
    await opening.close()
    throw toServiceError(error, secrets)
  }
}

function toServiceError(error: unknown, secrets: readonly string[]): ServiceError {
  const message = error instanceof Error ? error.message : String(error)
  const text = error instanceof ServiceError ? message : `The services did not start: ${message}`
  return new ServiceError(createHideSecrets(secrets)(text))
}

class ServiceStack {
  readonly #options: ServicesOptions
  readonly #opened: { readonly name: string; readonly close: () => unknown }[] = []
  readonly #pending = new Set<string>()
  readonly #controller = new AbortController()

  constructor(options: ServicesOptions) {
    this.#options = options
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  readonly open: OpenService = async (name, start, close) => {
    if (this.signal.aborted) throw new ServiceError(`The service "${name}" is opened too late.`)
    this.#pending.add(name)
    try {
      const service = await start()
      this.#opened.push({ name, close: () => close?.(service) })
      // Opened after the timeout: closes it at once.
      if (this.signal.aborted) await this.#closeLast()
      return service
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new ServiceError(`The service "${name}" did not start: ${reason}`)
    } finally {
      this.#pending.delete(name)
    }
  }

  async inTime<T>(work: () => Promise<T>): Promise<T> {
    const { timeoutSeconds } = this.#options
    const clock = new AbortController()
    // The timer keeps the process alive: otherwise Node could exit without naming the service.
    const late = delay(timeoutSeconds * 1000, undefined, { signal: clock.signal }).then(() => {
      const names = [...this.#pending].map((name) => `"${name}"`).join(', ')
      const what = names === '' ? 'services' : `service ${names}`
      throw new ServiceError(
        `The ${what} did not start within ${timeoutSeconds} seconds (START_TIMEOUT).`,
      )
    })
    const working = work()
    // Avoids an unhandled rejection after the timeout.
    working.catch(() => undefined)
    try {
      return await Promise.race([working, late])
    } finally {
      clock.abort()
      late.catch(() => undefined)
    }
  }

  async close(): Promise<void> {
    this.#controller.abort()
    while (this.#opened.length > 0) await this.#closeLast()
  }

  async #closeLast(): Promise<void> {
    const { log, closeMs = CLOSE_MS } = this.#options
    const last = this.#opened.pop()
    if (last === undefined) return
    const { name, close } = last
    const clock = new AbortController()
    const late = delay(closeMs, 'late' as const, { signal: clock.signal, ref: false })
    try {
      const closing = Promise.resolve().then(close)
      closing.catch(() => undefined)
      const ended = await Promise.race([closing, late])
      if (ended === 'late') log.error({ service: name, ms: closeMs }, 'service did not close')
    } catch (error) {
      log.error({ err: error, service: name }, 'service failed to close')
    } finally {
      clock.abort()
      late.catch(() => undefined)
    }
  }
}

/** Queues notifications until this node has joined the others. */
function queuedAnnounce(): { announce: Announce; join: OpenedServices['join'] } {
  let target: Announce | undefined
  const queued: ((announce: Announce) => void)[] = []
  const run = (announcement: (announce: Announce) => void) => {
    if (target === undefined) queued.push(announcement)
    else announcement(target)
  }
  return {
    announce: {
      toolsChanged: () => run((announce) => announce.toolsChanged()),
      promptsChanged: () => run((announce) => announce.promptsChanged()),
      resourcesChanged: () => run((announce) => announce.resourcesChanged()),
      resourceUpdated(uri) {
        requireUri(uri, 'announce.resourceUpdated: the URI')
        run((announce) => announce.resourceUpdated(uri))
      },
    },
    join(announce) {
      target = announce
      for (const announcement of queued.splice(0)) announcement(announce)
    },
  }
}
