/** `/livez` and `/readyz`: for whatever starts, watches and balances the process. */

import { setTimeout as delay } from 'node:timers/promises'
import { Hono } from 'hono'
import type { ConfigWarning } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Store } from '../store/port.ts'
import { answerOf } from './error-response.ts'
import type { HttpEnv } from './http-env.ts'

export interface Health {
  /** The process is going down: it finishes what runs and takes nothing new. */
  readonly stopping: () => boolean
  /** What an operator should know, for the doctor, which sees a server from outside alone. */
  readonly warnings: () => readonly ConfigWarning[]
  /** Rejects while a service of the team cannot be used. */
  readonly readiness?: (() => Promise<void>) | undefined
}

/** A service that does not say whether it can be used cannot be. */
const READINESS_MS = 5000

/**
 * Alive as long as it answers; ready when it is not stopping and the store takes what requests need.
 * Both are asked every second or so: what the store says it has logged itself, once.
 */
export function healthRoutes(
  store: Store,
  { stopping, warnings, readiness }: Health,
): Hono<HttpEnv> {
  const checkServices = createServiceCheck(readiness)
  const routes = new Hono<HttpEnv>()
  routes.get('/livez', (c) => c.json({ status: 'ok' }))
  routes.get('/readyz', async (c) => {
    if (stopping()) {
      return answerOf(new AppError('unavailable', 'Stopping.', { retryAfterSeconds: 5 }))
    }
    try {
      const health = await store.checkHealth()
      await checkServices(c.get('log'))
      const all = [...warnings(), ...health.warnings]
      return c.json({ status: 'ok', ...(all.length > 0 && { warnings: all }) })
    } catch (error) {
      if (error instanceof AppError && error.code === 'unavailable') return answerOf(error)
      throw error
    }
  })
  return routes
}

/** Asks the services whether they can be used, and logs when that changes. */
function createServiceCheck(readiness: Health['readiness']): (log: Logger) => Promise<void> {
  let isReady = true
  if (readiness === undefined) return async () => undefined
  return async (log) => {
    const clock = new AbortController()
    const late = delay(READINESS_MS, undefined, { signal: clock.signal, ref: false }).then(() => {
      throw new Error(`readiness has not answered within ${READINESS_MS / 1000} seconds`)
    })
    try {
      await Promise.race([readiness(), late])
      if (!isReady) log.info('services ready')
      isReady = true
    } catch (error) {
      if (isReady) log.warn({ err: error }, 'services not ready')
      isReady = false
      throw new AppError('unavailable', 'A service is not ready.', { cause: error })
    } finally {
      clock.abort()
      late.catch(() => undefined)
    }
  }
}
