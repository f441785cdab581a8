/** Graceful shutdown: running calls finish, idle connections are closed. */

import { Agent, get } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { connectClient, ERAS, structured } from '../support/clients.ts'
import { startOutside } from '../support/external-provider.ts'
import { freePort } from '../support/free-port.ts'
import { type ServerProcess, startServerProcess } from '../support/process.ts'
import type { Interference } from '../support/recording-balancer.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'

/** An API that responds when the test permits it. */
function slowApi() {
  const api = { asked: () => {}, answer: () => {} }
  const asked = new Promise<void>((resolve) => {
    api.asked = resolve
  })
  const answered = new Promise<void>((resolve) => {
    api.answer = resolve
  })
  const intercept: Interference['intercept'] = async ({ path }) => {
    if (!path.startsWith('/demo/api/')) return undefined
    api.asked()
    await answered
    return undefined
  }
  return { intercept, asked, answer: api.answer }
}

/** A server with a signed-in user, whose call waits for the slow API. */
async function startSlowCall(era: (typeof ERAS)[number]) {
  const api = slowApi()
  const port = await freePort()
  const url = `http://localhost:${port}`
  const outside = await startOutside(url, api)
  const server = await startServerProcess({
    env: { ...outside.env, MASK_MCP_PORT: String(port), PUBLIC_URL: url, STOP_DELAY: '4' },
  })
  const { client } = await connectClient(url, era)
  onTestFinished(() => client.close())
  const login = await client.callTool({ name: 'login', arguments: {} })
  const link = structured<SignInLink>(login)
  await signInAs(newBrowser(), link)
  const session = link.session === undefined ? {} : { session: link.session }
  const call = client.callTool({ name: 'service', arguments: session })
  call.catch(() => undefined)
  await api.asked
  return { url, server, call, answer: api.answer }
}

const isStopping = (server: ServerProcess) => server.line('stopping')

test.each(ERAS)('finishes a running call, and is not ready meanwhile (%s)', async (era) => {
  const { url, server, call, answer } = await startSlowCall(era)
  server.child.kill('SIGTERM')
  await isStopping(server)
  const readiness = await fetch(`${url}/readyz`)
  expect(readiness.status).toBe(503)
  expect(readiness.headers.get('retry-after')).toBe('5')
  expect(readiness.headers.get('connection')).toBe('close')
  answer()
  const answered = performance.now()
  expect((await call).structuredContent).toMatchObject({ owner: 'Ada Lovelace' })
  expect(await server.exited).toEqual({ code: 0, signal: null })
  // Less than the longest wait for calls, and than the keep-alive timeout of a minute.
  expect(performance.now() - answered).toBeLessThan(20_000)
  expect(server.output.stderr).not.toMatch(/Error/)
})

// A client whose response has become a stream waits for its own timeout of a minute.
test('a second signal ends it at once', { timeout: 240_000 }, async () => {
  const { server, call } = await startSlowCall('2025-11-25')
  server.child.kill('SIGTERM')
  await isStopping(server)
  server.child.kill('SIGTERM')
  expect(await server.exited).toEqual({ code: 1, signal: null })
  await expect(call).rejects.toThrow()
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  'idle connections do not delay it (%s)',
  async (signal) => {
    const server = await startServerProcess()
    const { publicUrl } = await server.line('ready')
    const agent = new Agent({ keepAlive: true, maxSockets: 5 })
    onTestFinished(() => agent.destroy())
    await Promise.all(
      Array.from({ length: 5 }, () => answerOf(`${String(publicUrl)}/livez`, agent)),
    )
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(5)
    const signalled = performance.now()
    server.child.kill(signal)
    expect(await server.exited).toEqual({ code: 0, signal: null })
    expect(performance.now() - signalled).toBeLessThan(20_000)
  },
)

test('logs that it stops, and that it has stopped', async () => {
  const server = await startServerProcess()
  await server.stop()
  expect(server.output.stdout).toMatch(/"msg":"stopping".*\n.*"msg":"stopped"/)
})

function answerOf(url: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    }).on('error', reject)
  })
}
