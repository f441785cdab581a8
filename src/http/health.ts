/** `/livez` and `/readyz`: for whatever starts, watches and balances the process. */

import { Hono } from 'hono'
import type { Config } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Store } from '../store/port.ts'
import type { HttpEnv } from './context.ts'

export interface Health {
  /** The process is going down: it finishes what runs and takes nothing new. */
  readonly stopping: () => boolean
  readonly config: Pick<Config, 'accessWarnings'>
}

/** Alive as long as it answers; ready when it is not stopping and the store answers too. */
export function healthRoutes(store: Store, { stopping, config }: Health): Hono<HttpEnv> {
  // For the doctor, which sees a server from outside alone.
  const { accessWarnings: warnings } = config
  const routes = new Hono<HttpEnv>()
  routes.get('/livez', (c) => c.json({ status: 'ok' }))
  routes.get('/readyz', async (c) => {
    if (stopping()) throw new AppError('unavailable', 'Stopping.', { retryAfterSeconds: 5 })
    await store.ping()
    return c.json({ status: 'ok', ...(warnings.length > 0 && { warnings }) })
  })
  return routes
}
