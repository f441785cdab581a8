/** Who may reach resources and prompts: scopes, visibility, and hooks around them. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineServer } from '../../src/define-server.ts'
import {
  defineHook,
  definePrompt,
  defineResource,
  masked,
  ToolError,
} from '../../src/engine/index.ts'
import { getPrompt, readResource } from '../../src/testing/index.ts'
import { moduleOf, writeCatalog } from '../engine/catalog.ts'
import { ERAS } from '../support/clients.ts'
import { startTokenApp, type TokenApp, withToken } from '../support/token-app.ts'
import { INITIALIZE, post, postModern, read, request } from '../support/wire.ts'

const CATALOG = {
  'resources/all.ts': moduleOf(`export default [
    defineResource({ name: 'report', uri: 'desk://reports/{id}', requires: { scopes: ['reports'] },
      read: async ({ caller }) => caller.subject + ' ' + caller.scopes.join(' ') }),
    defineResource({ name: 'secret', uri: 'desk://secrets/{id}',
      visible: (caller) => caller.subject === 'admin', complete: { id: () => ['1'] },
      read: async () => 'secret' }),
    defineResource({ name: 'any', uri: 'desk://{+any}', read: async () => 'any' }),
  ]`),
  'prompts/report.ts': moduleOf(`export default definePrompt({
    name: 'report', description: 'Reports.', arguments: z.object({}), requires: { scopes: ['reports'] },
    render: () => 'report',
  })`),
}

describe.each(ERAS)('in %s', (era) => {
  let app: TokenApp
  beforeAll(async () => {
    app = await startTokenApp({ catalogDirectory: writeCatalog(CATALOG) })
  })
  afterAll(() => app.stop())

  async function send(method: string, params: Record<string, unknown>, scope = 'mcp') {
    const claims = { ...app.issuer.claims(`${app.url}/mcp`), scope }
    const token = withToken(await app.issuer.sign(claims))
    if (era === '2026-07-28') return read(postModern(app.url, method, params, { headers: token }))
    const opened = await read(post(app.url, INITIALIZE, token))
    const id = opened.headers.get('mcp-session-id') ?? ''
    const headers = { ...token, 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
    return read(post(app.url, request(method, params), headers))
  }

  test.each([
    ['resources/read', { uri: 'desk://reports/7' }],
    ['prompts/get', { name: 'report' }],
  ])('%s without its scopes is 403 with a challenge', async (method, params) => {
    const { status, headers } = await send(method, params, 'mcp other')
    expect(status).toBe(403)
    expect(headers.get('www-authenticate')).toMatch(/insufficient_scope.*reports/)
    const granted = await send(method, params, 'mcp reports')
    expect(granted.message.result).toBeDefined()
  })

  test('hidden declarations behave as undeclared ones, for reads and suggestions', async () => {
    const params = { uri: 'desk://secrets/1' }
    const { message } = await send('resources/read', params)
    expect(JSON.stringify(message.result)).toContain('"any"')
    const ref = { type: 'ref/resource', uri: 'desk://secrets/{id}' }
    const argument = { name: 'id', value: '' }
    const { message: suggested } = await send('completion/complete', { ref, argument })
    expect(suggested.error).toMatchObject({
      code: -32602,
      message: 'Resource template desk://secrets/{id} not found',
    })
  })
})

describe('hooks', () => {
  const events: unknown[] = []
  const recorder = defineHook({
    name: 'recorder',
    before({ kind, name, input }) {
      events.push([kind, name, input])
      if (name === 'refused') throw new ToolError('Not today.', { code: 'quota' })
    },
    after: (_call, outcome) => void events.push(outcome),
  })
  const account = defineResource({
    name: 'account',
    uri: 'bank://accounts/{id}',
    output: z.object({ iban: masked(z.string(), { left: 4 }) }),
    read: async () => ({ iban: 'GB33BUKB20201555555555' }),
  })

  test('run around a read, and see its masked outcome', async () => {
    events.length = 0
    await readResource(account, 'bank://accounts/a%2Fb', { hooks: [recorder] })
    expect(events).toMatchObject([
      ['resource', 'account', { uri: 'bank://accounts/a%2Fb', id: 'a/b' }],
      { status: 'ok', content: [{ text: '{"iban":"GB33******************"}' }] },
    ])
  })

  test('refuse a prompt before a sign-in is required', async () => {
    const refused = definePrompt({
      name: 'refused',
      description: 'Is refused.',
      arguments: z.object({ pin: masked(z.string()) }),
      requires: { login: true },
      render: () => 'never',
    })
    events.length = 0
    const getting = getPrompt(refused, { pin: '123456' }, { hooks: [recorder], opensUrl: 'accept' })
    await expect(getting).rejects.toMatchObject({ message: 'Not today.', data: { code: 'quota' } })
    expect(events).toEqual([['prompt', 'refused', { pin: '******' }]])
  })

  test('are declared with the server', () => {
    expect(defineServer({ name: 'desk', hooks: [recorder] }).hooks).toEqual([recorder])
  })
})
