/** A first upstream without OAuth: an API with keys of users, and one with a key of the operator. */

import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { defineTool } from '../../src/engine/index.ts'
import { callTool, startTestServer } from '../../src/testing/index.ts'
import { errorCode, structured } from '../support/clients.ts'
import { both, call, loginAt, staffAccount } from '../support/several-upstreams.ts'
import { newBrowser } from '../support/sign-in.ts'
import { postModern, read } from '../support/wire.ts'
import { json, startServer } from '../upstream/misbehaving-server.ts'

const tool = (login: boolean) =>
  defineTool({
    name: 'thing',
    description: 'A thing.',
    input: z.object({}),
    output: z.object({ answer: z.string() }),
    requires: { login },
    run: ({ upstream }) => upstream.get<{ answer: string }>('/thing'),
  })

async function start(env: Record<string, string>, login: boolean) {
  const api = await startServer((res, req, index) =>
    /^(Bearer|Token) good-key-0123$/.test(String(req.headers.authorization))
      ? json({ answer: 'yes' })(res, req, index)
      : res.writeHead(401).end(),
  )
  onTestFinished(() => api.close())
  const server = await startTestServer({
    server: { name: 'first' },
    tools: [tool(login)],
    env: { RATE_LIMIT: 'off', UPSTREAM_API_URL: api.origin, ...env },
  })
  onTestFinished(() => server.stop())
  return server.url
}

const toolsOf = async (url: string) => {
  const { message } = await read(postModern(url, 'tools/list', {}))
  const { tools } = message.result as { tools: { name: string }[] }
  return tools.map(({ name }) => name)
}

test('keys of people', async () => {
  const url = await start({ UPSTREAM_AUTH: 'key', UPSTREAM_KEY_CHECK: '/me' }, true)
  const { session, ...link } = await loginAt(url)
  expect(errorCode(await call(url, 'thing', { session }))).toBe('login_required')
  const browser = newBrowser()
  const page = await browser.open(link.url, { code: link.code })
  expect(page.url.pathname).toMatch(/^\/key\/upstream\//)
  expect((await browser.open(page.url, { key: 'good-key-0123' })).text).toContain('Key accepted')
  expect(structured(await call(url, 'thing', { session }))).toEqual({ answer: 'yes' })
  expect(structured(await call(url, 'session', { session }))).toMatchObject({
    state: 'authenticated',
  })
})

test('a key of the operator: there is no login', async () => {
  const env = {
    UPSTREAM_AUTH: 'none',
    UPSTREAM_API_KEY: 'good-key-0123',
    UPSTREAM_API_KEY_HEADER: 'Authorization: Token {key}',
  }
  const url = await start(env, false)
  expect(await toolsOf(url)).toEqual(['logout', 'session', 'thing'])
  expect(structured(await call(url, 'thing'))).toEqual({ answer: 'yes' })
  expect((await newBrowser().open(`${url}/callback?state=x&code=y`)).status).toBe(400)
})

test('a key of the operator, and a tool that needs a sign-in: the server does not start', async () => {
  await expect(start({ UPSTREAM_AUTH: 'none' }, true)).rejects.toThrow(
    /thing.*"upstream", at which nobody signs in/,
  )
})

test('callTool simulates named upstreams, with a sign-in', async () => {
  const account = (owner: string) => ({ 'GET /accounts/{id}': { owner } })
  const upstream = { ...account('Ada'), staff: account('Grace') }
  const signedIn = await callTool(
    both,
    {},
    {
      upstream,
      signedInAt: { demo: { sub: 'ada' }, staff: { sub: 'grace' } },
    },
  )
  expect(signedIn.structuredContent).toEqual({ first: 'Ada', second: 'Grace' })
  expect(signedIn.requests.map((request) => request.upstream)).toEqual([undefined, 'staff'])
  const asked = await callTool(both, {}, { upstream, opensUrl: 'accept' })
  expect(asked.structuredContent).toEqual({ first: 'Ada', second: 'Grace' })
  expect(asked.openedUrls).toHaveLength(2)
  expect((await callTool(staffAccount, {}, { signedInAs: { sub: 'ada' } })).code).toBe(
    'login_required',
  )
})
