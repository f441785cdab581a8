/** Hidden declarations: every response is that for an unknown name. */

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { postDirect } from '../support/direct.ts'
import { listenTo } from '../support/event-reader.ts'
import { type ExternalIssuer, startExternalIssuer } from '../support/external-issuer.ts'
import { INITIALIZE, post, postModern, read, request } from '../support/wire.ts'
import { mcp, prompts, resources, tools } from './hidden.ts'

const server = mcp.defineServer({
  name: 'desk',
  unauthorizedTools: 'hide',
  landingPage: 'public',
  sessionTools: false,
})

let issuer: ExternalIssuer
const running: TestServer[] = []
beforeAll(async () => {
  issuer = await startExternalIssuer()
})
afterAll(async () => {
  await Promise.all(running.map(({ stop }) => stop()))
  await issuer.stop()
})

async function start(more: Readonly<Record<string, string>> = {}) {
  const env = { OAUTH_ISSUER: issuer.url, MCP_AUTH: 'required', ...more }
  const started = await startTestServer({ server, tools, resources, prompts, env })
  running.push(started)
  return started
}

async function bearer(url: string, role: string, path = '/mcp', scope = 'other') {
  const token = await issuer.sign({ ...issuer.claims(`${url}${path}`), role, scope, sub: role })
  return { authorization: `Bearer ${token}` }
}

/** The same request for a hidden name, and for an unknown one. */
const REQUESTS: readonly [method: string, params: (name: string) => object][] = [
  ['tools/call', (name) => ({ name, arguments: {} })],
  ['tools/call', (name) => ({ name, arguments: 'nonsense' })],
  ['tools/call', (name) => ({ name, arguments: {}, _meta: { progressToken: 1 } })],
  ['tools/call', (name) => ({ name: `${name}-by-header`, arguments: { region: 'eu' } })],
  ['tools/call', (name) => ({ name: `${name}-by-scope`, arguments: {} })],
  ['tools/call', (name) => ({ name: `${name}-by-fault`, arguments: {} })],
  ['tools/call', (name) => ({ name: `${name}-by-promise`, arguments: {} })],
  ['prompts/get', (name) => ({ name, arguments: { id: '1' } })],
  ['prompts/get', (name) => ({ name, arguments: {} })],
  ['resources/read', (name) => ({ uri: `desk://${name}` })],
  ['resources/read', (name) => ({ uri: `${name}://1` })],
  ['resources/read', (name) => ({ uri: `DESK://${name}` })],
  ['completion/complete', (name) => complete({ type: 'ref/prompt', name })],
  ['completion/complete', (name) => complete({ type: 'ref/resource', uri: `${name}://{id}` })],
  ['completion/complete', (name) => complete({ type: 'ref/resource', uri: `desk://${name}` })],
]
const complete = (ref: object) => ({ ref, argument: { name: 'id', value: '' } })

/** The parts of a response that do not differ by request. */
function facts({ status, headers, text }: { status: number; headers: Headers; text: string }) {
  const compared = [...headers].filter(
    ([name]) => !['date', 'x-request-id', 'content-length'].includes(name) && !/limit/.test(name),
  )
  return { status, headers: compared, text: text.replaceAll('absent', 'hidden') }
}

describe.each(['on', 'off'])('with the fast path %s', (fastPath) => {
  let url: string
  let user: { readonly authorization: string }
  beforeAll(async () => {
    ;({ url } = await start({ MCP_FAST_PATH: fastPath }))
    user = await bearer(url, 'user')
  })

  const ways = {
    '2026-07-28': (method: string, params: object, headers = user) =>
      read(postModern(url, method, params as Record<string, unknown>, { headers })),
    '2025-11-25': async (method: string, params: object, headers = user) => {
      const opened = await read(post(url, INITIALIZE, headers))
      const id = opened.headers.get('mcp-session-id') ?? ''
      const more = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
      return read(post(url, request(method, params), { ...headers, ...more }))
    },
  }

  describe.each(Object.entries(ways))('in the era %s', (_era, send) => {
    test.each(REQUESTS)(
      '%s has the same response for hidden and absent declarations: %#',
      async (method, params) => {
        const hidden = await send(method, params('hidden'))
        expect(facts(hidden)).toEqual(facts(await send(method, params('absent'))))
        expect(hidden.message.error ?? hidden.status).not.toBe(200)
      },
    )

    it('lists what each caller sees', async () => {
      const admin = await bearer(url, 'admin', '/mcp', 'service:read')
      const listed = async (method: string, headers: typeof user) => {
        const { message } = await send(method, {}, headers)
        const [all] = Object.values(message.result ?? {}).filter(Array.isArray)
        return (all as { name: string }[]).map(({ name }) => name)
      }
      expect(await listed('tools/list', user)).toEqual(['public'])
      expect(await listed('resources/list', user)).toEqual(['open'])
      expect(await listed('resources/templates/list', user)).toEqual([])
      expect(await listed('prompts/list', user)).toEqual(['open'])
      expect(await listed('tools/list', admin)).toEqual([
        ...['hidden', 'hidden-by-header', 'hidden-by-scope', 'public'],
      ])
      expect(await listed('resources/list', admin)).toEqual(['open', 'h1'])
      expect(await listed('prompts/list', admin)).toEqual(['open', 'hidden'])
    })

    it('serves callers who see it', async () => {
      const admin = await bearer(url, 'admin', '/mcp', 'service:read')
      for (const name of ['hidden', 'hidden-by-scope']) {
        const { message } = await send('tools/call', { name, arguments: {} }, admin)
        expect(message.result?.structuredContent).toEqual({ done: true })
      }
      const got = await send('prompts/get', { name: 'hidden', arguments: { id: '1' } }, admin)
      expect(got.message.result).toBeDefined()
      const resource = await send('resources/read', { uri: 'hidden://1' }, admin)
      expect(resource.message.result).toBeDefined()
    })
  })

  it.each([
    ['tools/call', 'hidden'],
    ['tools/call', 'hidden-by-scope'],
    ['tools/call', 'hidden-by-header'],
    ['prompts/get', 'hidden'],
  ])('a direct call of %s has the same response for %s', async (method, name) => {
    const headers = await bearer(url, 'user', '/http')
    const send = async (hiddenOrAbsent: string) => {
      const text = JSON.stringify({ method, params: { name: hiddenOrAbsent, arguments: {} } })
      const answer = await postDirect(url, text, { headers })
      return facts({ ...answer, text: JSON.stringify(answer.body) })
    }
    const hidden = await send(name)
    expect(hidden).toEqual(await send(name.replace('hidden', 'absent')))
    expect(hidden.status).toBe(404)
  })

  it('a subscription in either era ignores hidden resources', async () => {
    const refused = await ways['2025-11-25']('resources/subscribe', { uri: 'hidden://1' })
    const absent = await ways['2025-11-25']('resources/subscribe', { uri: 'absent://1' })
    expect(facts(refused)).toEqual(facts(absent))
    const notifications = { resourceSubscriptions: ['hidden://1', 'desk://hidden', 'desk://open'] }
    const stream = await listenTo((signal) =>
      postModern(url, 'subscriptions/listen', { notifications }, { headers: user, signal }),
    )
    const said = await stream.until(({ message }) => message?.method !== undefined)
    expect(said.data).toContain('desk://open')
    expect(said.data).not.toContain('hidden')
    stream.close()
  })

  it('the landing page does not list it', async () => {
    const page = await fetch(url, { headers: { accept: 'text/html' } })
    const text = await page.text()
    expect(text).toContain('public')
    expect(text).not.toContain('hidden')
  })
})

test('a `visible` that fails is in the log, with its name and without the caller', async () => {
  const { url, log } = await start()
  await read(postModern(url, 'tools/list', {}, { headers: await bearer(url, 'user-4711') }))
  const line = log().find((each) => each.hidden === 'hidden-by-fault')
  expect(line).toMatchObject({ level: 'error', msg: 'visible failed' })
  expect(log().some((each) => each.hidden === 'hidden-by-promise')).toBe(true)
  expect(JSON.stringify(log())).not.toContain('user-4711')
})
