/** Servers with the built-in authorization server, and a clock for their store. */

import { onTestFinished } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startApp, type TestApp, type TestAppOptions } from '../support/app.ts'

/** Starts a server; stopped after the test. */
export async function start(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await startApp({ ...options, env: { RATE_LIMIT: 'off', ...options.env } })
  onTestFinished(() => app.stop())
  return app
}

/** The same on a store whose clock only the test advances. */
export async function startWithClock(env: Readonly<Record<string, string>> = {}) {
  let now = Date.now()
  const store = createMemoryStore({ now: () => now })
  const app = await start({ env, store })
  const pass = (seconds: number) => {
    now += seconds * 1000
  }
  return { app, pass }
}
