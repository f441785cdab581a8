/** The upstream API for callers without a person: by a service account, or an error with an explanation. */

import { expect, onTestFinished, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startApp, type TestAppOptions } from '../support/app.ts'
import { tokenUser } from '../support/machine-client.ts'
import { postForm } from '../support/oauth-client.ts'
import { recordingStore } from '../support/recording-store.ts'
import { startServiceProvider } from '../support/service-provider.ts'
import { json } from '../upstream/misbehaving-server.ts'

const CALLERS = new URL('../fixtures/callers', import.meta.url).pathname
const job = { client_id: 'nightly', client_secret: 'the secret of the job' }
const OAUTH_CLIENTS = JSON.stringify([
  { ...job, grant_types: ['client_credentials'], scope: 'mcp service:read' },
])
const BY_TOKEN = { UPSTREAM_SERVICE: 'client_credentials' }

async function startNode(env: Readonly<Record<string, string>>, options: TestAppOptions = {}) {
  const app = await startApp({
    ...options,
    env: { RATE_LIMIT: 'off', OAUTH_CLIENTS, ...env },
    catalogDirectory: CALLERS,
  })
  onTestFinished(() => app.stop())
  return app
}

/** A machine with a token of the server at this address. */
async function machineAt(url: string) {
  const { body } = await postForm(`${url}/token`, { grant_type: 'client_credentials', ...job })
  return tokenUser(url, String(body.access_token))
}

/** The code and text of a failed call. */
async function failureOf(machine: Awaited<ReturnType<typeof machineAt>>, tool: string) {
  const { status, body } = await machine.call(tool)
  return { status, text: JSON.stringify(body) }
}

test('tools see that there is no person', async () => {
  const { url } = await startNode({})
  expect(await (await machineAt(url)).result('whoami')).toEqual({
    ...{ kind: 'client', subject: '', client: 'nightly', claims: [] },
    scopes: ['mcp', 'service:read'],
  })
})

test('without a service account a tool returns an error without a link', async () => {
  const { url } = await startNode({})
  const machine = await machineAt(url)
  for (const tool of ['service', 'login']) {
    const { status, text } = await failureOf(machine, tool)
    expect(status).toBe(403)
    expect(text).toContain('"isError":true')
    expect(text).toContain('login_required')
    expect(text).toContain('this client acts without a person')
    expect(text).toContain('(UPSTREAM_SERVICE)')
    expect(text).not.toMatch(/http|connect|elicit|input_required|`login`/)
  }
})

test('one token serves all calls and nodes, sealed, with the requested scopes', async () => {
  const provider = await startServiceProvider()
  const { store, written } = recordingStore()
  const env = { ...provider.env, ...BY_TOKEN, UPSTREAM_SERVICE_SCOPES: 'read write' }
  const nodes = [await startNode(env, { store }), await startNode(env, { store })]
  const machines = await Promise.all(nodes.map(({ url }) => machineAt(url)))
  const calls = machines.flatMap((machine) => [machine, machine, machine, machine])
  const owners = await Promise.all(calls.map((machine) => machine.result('service')))
  expect(owners.map(({ owner }) => owner)).toEqual(Array(8).fill('The Service'))
  expect(provider.requests).toHaveLength(1)
  const [{ body, authorization } = {}] = provider.requests
  expect(Object.fromEntries(body ?? [])).toEqual({
    ...{ grant_type: 'client_credentials', scope: 'read write' },
  })
  expect(Buffer.from(String(authorization).slice(6), 'base64').toString()).toBe(
    'client-1:secret-of-the-client',
  )
  expect(JSON.stringify(written)).not.toContain('service-1')
})

test('a service account may have a client of its own, and parameters of the provider', async () => {
  const provider = await startServiceProvider()
  const { url } = await startNode({
    ...{ ...provider.env, ...BY_TOKEN, UPSTREAM_TOKEN_PARAMETERS: 'audience=api' },
    UPSTREAM_SERVICE_CLIENT_ID: 'robot',
    UPSTREAM_SERVICE_CLIENT_SECRET: 'of the robot',
  })
  expect(await (await machineAt(url)).result('service')).toMatchObject({ owner: 'The Service' })
  const [{ body, authorization } = {}] = provider.requests
  expect(body?.get('audience')).toBe('api')
  const shown = Buffer.from(String(authorization).slice(6), 'base64').toString()
  expect(decodeURIComponent(shown.replaceAll('+', ' '))).toBe('robot:of the robot')
})

test('a token is replaced before it expires, and once the API rejects it', async () => {
  let now = Date.now()
  const clock = () => now
  const provider = await startServiceProvider()
  const store = createMemoryStore({ now: clock })
  const { url } = await startNode({ ...provider.env, ...BY_TOKEN }, { store })
  const machine = await machineAt(url)
  await machine.result('service')
  provider.accepts((authorization) => authorization === 'Bearer service-2')
  expect(await machine.result('service')).toMatchObject({ owner: 'The Service' })
  expect(provider.requests).toHaveLength(2)
  provider.accepts(() => true)
  provider.lifetimeIs(1)
  provider.accepts((authorization) => authorization !== 'Bearer service-2')
  await machine.result('service')
  expect(provider.requests).toHaveLength(3)
  now += 2000
  await expect
    .poll(async () => {
      await machine.result('service')
      return provider.requests.length
    })
    .toBeGreaterThanOrEqual(4)
})

test.each([
  ['refused', json({ error: 'unauthorized_client' }, 400), 'Only its operator can correct that'],
  ['unknown', json({ error: 'invalid_client' }, 401), 'Only its operator can correct that'],
  ['not served', json({}, 503), 'Try again shortly'],
])('an account that is %s is an error of the upstream', async (_what, answer, words) => {
  const provider = await startServiceProvider()
  provider.answerWith(answer)
  const { url, lines } = await startNode({ ...provider.env, ...BY_TOKEN })
  const machine = await machineAt(url)
  const { text } = await failureOf(machine, 'service')
  expect(text).toContain('upstream_error')
  expect(text).toContain(words)
  expect(text).not.toMatch(/sign.?in|secret-of/i)
  expect(lines.join('')).not.toContain('secret-of-the-client')
  provider.answerWith(undefined)
  await expect
    .poll(async () => (await machine.result('service')).owner, { interval: 500 })
    .toBe('The Service')
})

test('an API that does not accept the account does not cause a sign-in', async () => {
  const provider = await startServiceProvider()
  provider.accepts(() => false)
  const { url } = await startNode({ ...provider.env, ...BY_TOKEN })
  const { text } = await failureOf(await machineAt(url), 'service')
  expect(text).toContain('upstream_error')
  expect(text).not.toMatch(/sign in/i)
})

test.each<[string, Record<string, string>, [string, string]]>([
  ['in the place of the person', { UPSTREAM_SERVICE_KEY: 'robot-key' }, ['Bearer robot-key', '']],
  ['by the common header', { UPSTREAM_API_KEY: 'common-key' }, ['', 'common-key']],
])('a key is sent %s', async (_where, keys, expected) => {
  const provider = await startServiceProvider()
  provider.accepts(() => true)
  const { url } = await startNode({ ...provider.env, UPSTREAM_SERVICE: 'api_key', ...keys })
  expect(await (await machineAt(url)).result('service')).toMatchObject({ owner: 'The Service' })
  expect(provider.calls).toEqual([expected])
  expect(provider.requests).toEqual([])
})

test('users never use the service account', async () => {
  const provider = await startServiceProvider()
  provider.accepts(() => true)
  const { url } = await startNode({
    ...{ ...provider.env, UPSTREAM_SERVICE: 'api_key', UPSTREAM_SERVICE_KEY: 'robot-key' },
  })
  const { authorizeDirectCaller } = await import('../support/direct.ts')
  const { token } = await authorizeDirectCaller(url)
  const { body } = await tokenUser(url, token).call('service')
  expect(JSON.stringify(body)).toContain('input_required')
  expect(provider.calls).toEqual([])
})
