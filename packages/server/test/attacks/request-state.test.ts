/** `requestState`: sealed, bound to its call and caller, and valid once. */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { structured } from '../support/clients.ts'
import { recordingStore } from '../support/recording-store.ts'
import { codeIn, newBrowser, signInAs } from '../support/sign-in.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'

const realNow = Date.now
const clock = vi.spyOn(Date, 'now')
const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ store })
})
afterEach(() => clock.mockImplementation(realNow))
afterAll(() => app.stop())

const capabilities = { elicitation: { url: {} } }
const ARGUMENTS = { accountId: 'me', note: 'x' }

interface Round {
  readonly requestState: string
  readonly link: { readonly url: string; readonly code: string }
}

async function firstRound(): Promise<Round> {
  const params = { name: 'service', arguments: ARGUMENTS }
  const { message } = await read(postModern(app.url, 'tools/call', params, { capabilities }))
  expect(message.result).toMatchObject({ resultType: 'input_required' })
  const { inputRequests, requestState } = message.result as {
    inputRequests: { sign_in: { method: string; params: Record<string, string> } }
    requestState: string
  }
  const { method, params: asked } = inputRequests.sign_in
  expect(method).toBe('elicitation/create')
  expect(asked).not.toHaveProperty('elicitationId')
  return { requestState, link: { url: asked.url ?? '', code: codeIn(asked.message ?? '') } }
}

const ACCEPT = { sign_in: { action: 'accept' } }

function secondRound(requestState: unknown, more: Record<string, unknown> = {}) {
  const params = { name: 'service', arguments: ARGUMENTS, inputResponses: ACCEPT, requestState }
  return read(postModern(app.url, 'tools/call', { ...params, ...more }, { capabilities, id: 2 }))
}

test('it continues the call', async () => {
  const { requestState, link } = await firstRound()
  await signInAs(newBrowser(), link)
  const { message } = await secondRound(requestState)
  expect(message.result).toMatchObject({ resultType: 'complete', structuredContent: {} })
})

test('the order of the arguments does not matter', async () => {
  const { requestState, link } = await firstRound()
  await signInAs(newBrowser(), link)
  const { message } = await secondRound(requestState, { arguments: { note: 'x', accountId: 'me' } })
  expect(structured<{ owner: string }>(message.result ?? {}).owner).toBe('Ada Lovelace')
})

test('it does not disclose the session handle inside', async () => {
  const before = written.length
  const { requestState } = await firstRound()
  const session = written.slice(before).find(({ key }) => key.endsWith(':session'))
  const { id } = (session?.value ?? {}) as { id: string }
  expect(id).toMatch(/^ses_/)
  const forms = [requestState, ...['base64', 'base64url', 'hex'].map(decode)].join(' ')
  function decode(encoding: string) {
    return Buffer.from(requestState, encoding as BufferEncoding).toString('latin1')
  }
  expect(forms).not.toContain(id)
  expect(forms).not.toContain(id.slice(4))
  expect(forms).not.toContain('round')
})

describe('it is refused with -32602', () => {
  async function expectRefused(response: ReturnType<typeof read>) {
    const before = written.length
    const { message } = await response
    expect(message.error).toMatchObject({ code: -32602 })
    expect(message.error?.data).toEqual({ reason: 'invalid_request_state' })
    expect(written).toHaveLength(before)
  }

  test('when it was edited, wherever that is', async () => {
    const { requestState } = await firstRound()
    const swap = (at: number) => {
      const other = requestState[at] === 'A' ? 'B' : 'A'
      return requestState.slice(0, at) + other + requestState.slice(at + 1)
    }
    const { length } = requestState
    const places = [0, 1, Math.floor(length / 4), Math.floor(length / 2), length - 10]
    for (const edited of [
      ...places.map(swap),
      requestState.slice(0, -4),
      requestState.slice(4),
      `${requestState}AAAA`,
      requestState.split('').reverse().join(''),
      '',
      'x',
      '.',
      '...',
      '{"state":{"round":1},"expiresAt":9999999999999}',
    ]) {
      await expectRefused(secondRound(edited))
    }
  })

  test.each([5, true, {}, [], ['x']])('when it is %j', async (requestState) => {
    const { message } = await secondRound(requestState)
    expect(message.error?.code).toBe(-32602)
  })

  test('with other arguments', async () => {
    const { requestState } = await firstRound()
    for (const other of [
      { accountId: 'acc-1906' },
      {},
      { ...ARGUMENTS, more: 1 },
      { accountId: ['me'] },
      { accountId: { fields: [] } },
    ]) {
      await expectRefused(secondRound(requestState, { arguments: other }))
    }
  })

  test('at another tool', async () => {
    const { requestState } = await firstRound()
    await expectRefused(secondRound(requestState, { name: 'session' }))
    await expectRefused(secondRound(requestState, { name: 'logout' }))
  })

  test('in an MCP session of the 2025 era', async () => {
    const { requestState } = await firstRound()
    const params = { name: 'service', arguments: ARGUMENTS, inputResponses: ACCEPT, requestState }
    const headers = await connect(app.url, capabilities)
    await expectRefused(read(post(app.url, request('tools/call', params), headers)))
  })

  test('when it has expired, and not before', async () => {
    const { requestState } = await firstRound()
    clock.mockImplementation(() => realNow() + 601_000)
    await expectRefused(secondRound(requestState))
  })
})

test('a sign-in link expires, and so does its callback', async () => {
  const { link } = await firstRound()
  const body = new URLSearchParams({ code: link.code })
  clock.mockImplementation(() => realNow() + 599_000)
  expect((await fetch(link.url)).status).toBe(200)
  clock.mockImplementation(() => realNow() + 601_000)
  expect((await fetch(link.url)).status).toBe(410)
  expect((await fetch(link.url, { method: 'POST', body })).status).toBe(410)
})
