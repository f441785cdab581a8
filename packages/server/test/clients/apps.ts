/** Servers that let nobody in without a token. */

import { afterEach } from 'vitest'
import { startApp, type TestApp, type TestAppOptions } from '../support/app.ts'

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** Closes something after the test: what came last first, so that clients go before their server. */
export function closing<T extends { close(): Promise<unknown> }>(one: T): T {
  open.push(() => one.close())
  return one
}

/** Starts a server; stopped after the test. */
export async function startGuarded(options: TestAppOptions = {}): Promise<TestApp> {
  const env = { MCP_AUTH: 'required', RATE_LIMIT: 'off', ...options.env }
  const app = await startApp({ ...options, env })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= app.stop()
    return stopped
  }
  open.push(stop)
  return { ...app, stop }
}
