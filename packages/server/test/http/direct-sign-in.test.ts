/** Direct calls of tools that need a user: requests for input are results, answers are new calls. */

import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller, type DirectCaller } from '../support/direct.ts'
import { codeIn, newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'

interface Waiting {
  readonly resultType: string
  readonly inputRequests: Record<string, { params: { url: string; message: string } }>
  readonly requestState: string
}

const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'

describe('signing in', () => {
  let app: TestApp
  let direct: DirectCaller
  beforeAll(async () => {
    app = await startApp()
  })
  beforeEach(async () => {
    direct = await authorizeDirectCaller(app.url)
  })
  afterAll(() => app.stop())

  async function callUntilRequest(): Promise<Waiting> {
    const { status, body } = await direct.call('tools/call', { name: 'service' })
    expect([status, body.resultType]).toEqual([200, 'input_required'])
    return body as unknown as Waiting
  }

  test('the same call with the answer gets the result, masked', async () => {
    const { inputRequests, requestState } = await callUntilRequest()
    const { url = '', message = '' } = inputRequests.sign_in?.params ?? {}
    await signInAs(newBrowser(), { url, code: codeIn(message) })
    const again = { name: 'service', requestState, inputResponses: { sign_in: ACCEPT } }
    const { status, body } = await direct.call('tools/call', again)
    expect(status).toBe(200)
    expect(body.structuredContent).toMatchObject({
      owner: 'Ada Lovelace',
      accountNumber: '****5555',
    })
    expect(JSON.stringify(body)).not.toContain('55555555')
    const replayed = await direct.call('tools/call', again)
    expect([replayed.status, replayed.body.code]).toEqual([400, 'invalid_params'])
  })

  test('a user who declines is refused', async () => {
    const { requestState } = await callUntilRequest()
    const inputResponses = { sign_in: { action: 'decline' } }
    const again = { name: 'service', requestState, inputResponses }
    const { status, body } = await direct.call('tools/call', again)
    expect([status, body.code]).toEqual([403, 'login_declined'])
  })

  test('a client that cannot open pages gets an error that points to login', async () => {
    const _meta = { [CAPABILITIES]: {} }
    const { status, body } = await direct.call('tools/call', { name: 'service', _meta })
    expect([status, body.code]).toEqual([403, 'login_required'])
  })

  test('by login, for all later calls with the token', async () => {
    const given = await direct.call('tools/call', { name: 'login' })
    const link = given.body.structuredContent as SignInLink
    expect(link).not.toHaveProperty('session')
    await signInAs(newBrowser(), link, 'grace')
    const { body } = await direct.call('tools/call', { name: 'service' })
    expect(body.structuredContent).toMatchObject({ owner: 'Grace Hopper' })
  })

  test('of one caller does not count for another', async () => {
    const { body } = await direct.call('tools/call', { name: 'login' })
    await signInAs(newBrowser(), body.structuredContent as SignInLink)
    const other = await authorizeDirectCaller(app.url)
    const answer = await other.call('tools/call', { name: 'service' })
    expect(answer.body).toMatchObject({ resultType: 'input_required' })
  })
})

const ACCEPT = { action: 'accept' }

describe('requests for input of a tool', () => {
  let app: TestApp
  let direct: DirectCaller
  beforeAll(async () => {
    const catalogDirectory = join(import.meta.dirname, '../fixtures/cluster')
    app = await startApp({ catalogDirectory })
    direct = await authorizeDirectCaller(app.url)
  })
  afterAll(() => app.stop())

  test('forms are filled in by the next call', async () => {
    const params = { name: 'ask', arguments: { kinds: ['form'] } }
    const { body } = await direct.call('tools/call', params)
    expect(body).toMatchObject({ resultType: 'input_required' })
    const inputResponses = { question0: { action: 'accept', content: { name: 'Ada' } } }
    const { requestState } = body
    const answer = await direct.call('tools/call', {
      ...params,
      ...{ requestState, inputResponses },
    })
    expect(JSON.stringify(answer.body.structuredContent)).toContain('Ada')
  })

  test("a request without the client's capability is 400, unless the caller declares it", async () => {
    const params = { name: 'ask', arguments: { kinds: ['roots'] } }
    const { status, body } = await direct.call('tools/call', params)
    expect([status, body.code]).toEqual([400, 'missing_capability'])
    const _meta = { [CAPABILITIES]: { roots: {} } }
    const declared = await direct.call('tools/call', { ...params, _meta })
    expect(declared.body).toMatchObject({ resultType: 'input_required' })
  })
})
