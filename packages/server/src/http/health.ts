/** `/livez` and `/readyz`: liveness and readiness probes for orchestrators and load balancers. */

import { setTimeout as delay } from 'node:timers/promises'
import { Hono } from 'hono'
import type { ConfigWarning } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Store } from '../store/port.ts'
import { answerOf } from './error-response.ts'
import type { HttpEnv } from './http-env.ts'

export interface Health {
  /** True during graceful shutdown: running calls finish, and readiness fails. */
  readonly stopping: () => boolean
  /** Warnings for the operator, shown by the doctor, which otherwise only probes from outside. */
  readonly warnings: () => readonly ConfigWarning[]
  /** Rejects while a service of the team is unavailable. */
  readonly readiness?: (() => Promise<void>) | undefined
}

/** Timeout of the team's readiness check; a late answer counts as unavailable. */
const READINESS_MS = 5000

/**
 * Liveness: the process answers. Readiness: the process is not stopping, and store and services are
 * usable. Probes arrive about once a second, so store failures are not logged here: the store logs
 * each change once.
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

/**
 * Runs the team's readiness check, and logs only changes of its result. Requests that arrive during
 * a check share it: anybody may send any number of them.
 */
function createServiceCheck(readiness: Health['readiness']): (log: Logger) => Promise<void> {
  if (readiness === undefined) return async () => undefined
  let isReady = true
  let running: Promise<void> | undefined

  const check = async (log: Logger): Promise<void> => {
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

  return (log) => {
    running ??= check(log).finally(() => {
      running = undefined
    })
    return running
  }
}
