/** A direct call of a tool that needs a person: the questions are the result, the answer a new call. */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { callDirect } from '../support/direct.ts'
import { codeIn, newBrowser, signInAs } from '../support/sign-in.ts'

interface Waiting {
  readonly resultType: string
  readonly inputRequests: Record<string, { params: { url: string; message: string } }>
  readonly requestState: string
}

const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'

describe('signing in', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp()
  })
  afterAll(() => app.stop())

  async function ask(): Promise<Waiting> {
    const { status, body } = await callDirect(app.url, 'tools/call', { name: 'service' })
    expect([status, body.resultType]).toEqual([200, 'input_required'])
    return body as unknown as Waiting
  }

  test('the same call with the answer gets the result, masked', async () => {
    const { inputRequests, requestState } = await ask()
    const { url = '', message = '' } = inputRequests.sign_in?.params ?? {}
    await signInAs(newBrowser(), { url, code: codeIn(message) })
    const again = { name: 'service', requestState, inputResponses: { sign_in: ACCEPT } }
    const { status, body } = await callDirect(app.url, 'tools/call', again)
    expect(status).toBe(200)
    expect(body.structuredContent).toMatchObject({
      owner: 'Ada Lovelace',
      accountNumber: '****5555',
    })
    expect(JSON.stringify(body)).not.toContain('55555555')
    const replayed = await callDirect(app.url, 'tools/call', again)
    expect([replayed.status, replayed.body.code]).toEqual([400, 'invalid_params'])
  })

  test('who declines is refused', async () => {
    const { requestState } = await ask()
    const inputResponses = { sign_in: { action: 'decline' } }
    const again = { name: 'service', requestState, inputResponses }
    const { status, body } = await callDirect(app.url, 'tools/call', again)
    expect([status, body.code]).toEqual([403, 'login_declined'])
  })

  test('who says it cannot open pages is told to call login', async () => {
    const _meta = { [CAPABILITIES]: {} }
    const { status, body } = await callDirect(app.url, 'tools/call', { name: 'service', _meta })
    expect([status, body.code]).toEqual([403, 'login_required'])
  })

  test('by login, and the session it gives', async () => {
    const given = await callDirect(app.url, 'tools/call', { name: 'login' })
    const link = given.body.structuredContent as { url: string; code: string; session: string }
    await signInAs(newBrowser(), link, 'grace')
    const params = { name: 'service', arguments: { session: link.session } }
    const { body } = await callDirect(app.url, 'tools/call', params)
    expect(body.structuredContent).toMatchObject({ owner: 'Grace Hopper' })
  })

  test('an unknown session is 404', async () => {
    const params = { name: 'service', arguments: { session: `ses_${'a'.repeat(43)}` } }
    const { status, body } = await callDirect(app.url, 'tools/call', params)
    expect([status, body.code]).toEqual([404, 'session_not_found'])
  })
})

const ACCEPT = { action: 'accept' }

describe('questions of a tool', () => {
  let app: TestApp
  beforeAll(async () => {
    const catalogDirectory = join(import.meta.dirname, '../fixtures/cluster')
    app = await startApp({ catalogDirectory })
  })
  afterAll(() => app.stop())

  test('forms are filled in by the next call', async () => {
    const params = { name: 'ask', arguments: { kinds: ['form'] } }
    const { body } = await callDirect(app.url, 'tools/call', params)
    expect(body).toMatchObject({ resultType: 'input_required' })
    const inputResponses = { question0: { action: 'accept', content: { name: 'Ada' } } }
    const { requestState } = body
    const answer = await callDirect(app.url, 'tools/call', {
      ...params,
      ...{ requestState, inputResponses },
    })
    expect(JSON.stringify(answer.body.structuredContent)).toContain('Ada')
  })

  test('what no capability covers is 400, unless the caller declares it', async () => {
    const params = { name: 'ask', arguments: { kinds: ['roots'] } }
    const { status, body } = await callDirect(app.url, 'tools/call', params)
    expect([status, body.code]).toEqual([400, 'missing_capability'])
    const _meta = { [CAPABILITIES]: { roots: {} } }
    const declared = await callDirect(app.url, 'tools/call', { ...params, _meta })
    expect(declared.body).toMatchObject({ resultType: 'input_required' })
  })
})
