/** `/livez` and `/readyz`: for whatever starts, watches and balances the process. */

import { Hono } from 'hono'
import type { ConfigWarning } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Store } from '../store/port.ts'
import type { HttpEnv } from './context.ts'
import { answerOf } from './error-response.ts'

export interface Health {
  /** The process is going down: it finishes what runs and takes nothing new. */
  readonly stopping: () => boolean
  /** What an operator should know, for the doctor, which sees a server from outside alone. */
  readonly warnings: () => readonly ConfigWarning[]
}

/**
 * Alive as long as it answers; ready when it is not stopping and the store takes what requests need.
 * Both are asked every second or so: what the store says it has logged itself, once.
 */
export function healthRoutes(store: Store, { stopping, warnings }: Health): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()
  routes.get('/livez', (c) => c.json({ status: 'ok' }))
  routes.get('/readyz', async (c) => {
    if (stopping()) {
      return answerOf(new AppError('unavailable', 'Stopping.', { retryAfterSeconds: 5 }))
    }
    try {
      const health = await store.checkHealth()
      const all = [...warnings(), ...health.warnings]
      return c.json({ status: 'ok', ...(all.length > 0 && { warnings: all }) })
    } catch (error) {
      if (error instanceof AppError && error.code === 'unavailable') return answerOf(error)
      throw error
    }
  })
  return routes
}
