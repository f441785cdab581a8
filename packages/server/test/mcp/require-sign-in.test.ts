/**
 * A tool that requires a sign-in: the client is asked to open a page, and the same call continues.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, ERAS, errorCode, structured } from '../support/clients.ts'
import { failingStore } from '../support/failing-store.ts'
import { codeIn, newBrowser, signInAs } from '../support/sign-in.ts'
import {
  type Answer,
  connect,
  type Message,
  post,
  read,
  request,
  sendRequest,
} from '../support/wire.ts'

const store = failingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ store })
})
afterAll(() => app.stop())

interface Account {
  readonly owner: string
  readonly accountNumber: string
}

const SERVICE = { name: 'service', arguments: {} }

describe.each(ERAS)('in %s', (era) => {
  test('a user who accepts and signs in gets the result of the same call, masked', async () => {
    const asked: string[] = []
    const { client } = await connectClient(app.url, era, {
      async onUrl(url, message) {
        asked.push(url)
        await signInAs(newBrowser(), { url, code: codeIn(message) })
        return 'accept'
      },
    })
    const result = await client.callTool(SERVICE)
    expect(structured<Account>(result)).toMatchObject({
      owner: 'Ada Lovelace',
      accountNumber: '****5555',
      iban: 'GB33****************55',
    })
    expect(JSON.stringify(result)).not.toContain('55555555')
    expect(JSON.stringify(result)).not.toContain('internalRiskScore')
    expect(asked).toHaveLength(1)
    expect(new URL(asked[0] ?? '').pathname).toMatch(/^\/connect\/lnk_[\w-]{43}$/)
    await client.close()
  })

  test('a user who accepts first and signs in later gets it, too', async () => {
    const signedIn: Promise<unknown>[] = []
    const { client } = await connectClient(app.url, era, {
      async onUrl(url, message) {
        const later = delay(500).then(() =>
          signInAs(newBrowser(), { url, code: codeIn(message) }, 'grace'),
        )
        signedIn.push(later)
        return 'accept'
      },
    })
    const result = await client.callTool(SERVICE)
    expect(structured<Account>(result).owner).toBe('Grace Hopper')
    await Promise.all(signedIn)
    await client.close()
  })

  test.each(['decline', 'cancel'] as const)(
    'a user who answers %s gets instructions',
    async (action) => {
      const { client } = await connectClient(app.url, era, { onUrl: async () => action })
      const result = await client.callTool(SERVICE)
      expect(errorCode(result)).toBe('login_declined')
      expect(JSON.stringify(result.content)).toContain('`login`')
      await client.close()
    },
  )

  test('a refused call does not wait', async () => {
    const { client } = await connectClient(app.url, era, { onUrl: async () => 'decline' })
    await client.callTool(SERVICE)
    await client.close()
    // Long enough for one pending read of the state, and for two further ones to show.
    await delay(500)
    store.commands.length = 0
    await delay(900)
    expect(store.commands).toEqual([])
  })

  test('a client that cannot open pages gets an error that points to login', async () => {
    const { client } = await connectClient(app.url, era)
    const result = await client.callTool(SERVICE)
    expect(errorCode(result)).toBe('login_required')
    expect(JSON.stringify(result.content)).toContain('`login`')
    await client.close()
  })

  test('a client with forms only gets no URL to open', async () => {
    const params = { ...SERVICE }
    const { message } =
      era === '2026-07-28'
        ? await sendRequest(app.url, era, 'tools/call', params)
        : await read(
            post(
              app.url,
              request('tools/call', params),
              await connect(app.url, { elicitation: {} }),
            ),
          )
    expect(errorCode(message.result ?? {})).toBe('login_required')
  })
})

test('in 2026 later calls continue with the handle in the result', async () => {
  const { client } = await connectClient(app.url, '2026-07-28', {
    async onUrl(url, message) {
      await signInAs(newBrowser(), { url, code: codeIn(message) })
      return 'accept'
    },
  })
  const result = await client.callTool(SERVICE)
  const texts = (result.content as { text?: string }[]).map(({ text }) => text ?? '').join(' ')
  const session = /ses_[\w-]{43}/.exec(texts)?.[0] ?? ''
  const again = await client.callTool({ name: 'service', arguments: { session } })
  expect(structured<Account>(again).owner).toBe('Ada Lovelace')
  await client.close()
})

describe('in 2025, on the wire', () => {
  /** Calls `service` in an MCP session; returns the request of the server, and the rest of the stream. */
  async function callUntilRequest() {
    const headers = await connect(app.url, { elicitation: { url: {} } })
    const response = await post(app.url, request('tools/call', SERVICE, 'call'), headers)
    const [watched, rest] = response.body?.tee() ?? []
    const reader = watched?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    /** Reads the stream up to this text. */
    const readUntil = async (fragment: string) => {
      while (!text.includes(fragment)) text += (await reader?.read())?.value ?? ''
    }
    await readUntil('data: {')
    await readUntil('}\n\n')
    const line = text.split('\n').find((each) => each.startsWith('data: {')) ?? ''
    const question = JSON.parse(line.slice('data: '.length)) as Message
    const answer: Promise<Answer> = read(new Response(rest))
    return { headers, question, answer, readUntil }
  }

  const reply = (id: unknown, action: string) => ({ jsonrpc: '2.0', id, result: { action } })

  test('the request has an elicitation id, and its completion has the same', async () => {
    const { headers, question, answer, readUntil } = await callUntilRequest()
    expect(question).toMatchObject({ method: 'elicitation/create', params: { mode: 'url' } })
    const { url, message, elicitationId } = question.params as Record<string, string>
    await signInAs(newBrowser(), { url: url ?? '', code: codeIn(message ?? '') })
    await readUntil('notifications/elicitation/complete')
    expect((await post(app.url, reply(question.id, 'accept'), headers)).status).toBe(202)
    const { messages } = await answer
    expect(messages).toContainEqual({
      jsonrpc: '2.0',
      method: 'notifications/elicitation/complete',
      params: { elicitationId },
    })
    expect(messages.at(-1)).toMatchObject({ id: 'call', result: { structuredContent: {} } })
  })

  test('another caller cannot answer the request', async () => {
    const { headers, question, answer } = await callUntilRequest()
    const other = await connect(app.url, { elicitation: { url: {} } })
    for (const id of [question.id, 0, '0', 1]) {
      expect((await post(app.url, reply(id, 'decline'), other)).status).toBe(202)
    }
    await post(app.url, reply(question.id, 'cancel'), headers)
    const { message } = await answer
    expect(errorCode(message.result ?? {})).toBe('login_declined')
    // The first response counted: a second one is ignored.
    expect((await post(app.url, reply(question.id, 'accept'), headers)).status).toBe(202)
  })

  test('an invalid answer ends the call with an error', async () => {
    const { headers, question, answer } = await callUntilRequest()
    await post(app.url, { jsonrpc: '2.0', id: question.id, result: { action: 'perhaps' } }, headers)
    expect((await answer).message.result).toMatchObject({ isError: true })
  })

  test('a cancellation withdraws the request', async () => {
    const { headers, answer } = await callUntilRequest()
    const params = { requestId: 'call', reason: 'changed my mind' }
    await post(app.url, { jsonrpc: '2.0', method: 'notifications/cancelled', params }, headers)
    const { messages } = await answer
    expect(messages.filter(({ id }) => id === 'call')).toEqual([])
  })
})
