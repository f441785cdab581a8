/** Servers that require a token. */

import { onTestFinished } from 'vitest'
import { startApp, type TestApp, type TestAppOptions } from '../support/app.ts'

/** Closes something after the test, in reverse order: clients before their server. */
export function closing<T extends { close(): Promise<unknown> }>(one: T): T {
  onTestFinished(async () => void (await one.close()))
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
  onTestFinished(stop)
  return { ...app, stop }
}
