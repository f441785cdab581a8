/** Updates of a person's resources: only who may read may subscribe, and nobody else is notified. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineServer } from '../../src/define-server.ts'
import { defineResource, defineTool, ResourceNotFoundError } from '../../src/engine/index.ts'
import { startTestServer, type TestServer } from '../../src/testing/test-server.ts'
import { type Listening, listenTo, withMethod } from '../support/event-reader.ts'
import { newBrowser, signInAs } from '../support/sign-in.ts'
import { connect, type HeaderFields, post, postModern, read, request } from '../support/wire.ts'

const SESSION = 'mcp-template/session'

const tickets = defineResource({
  name: 'tickets',
  uri: 'desk://tickets/{id}',
  requires: { login: true },
  async read({ uri, variables, session }) {
    const { name } = (await session.account()) ?? {}
    if (name?.toLowerCase().startsWith(String(variables.id)) !== true) {
      throw new ResourceNotFoundError(uri.href)
    }
    return `a ticket of ${name}`
  },
})
const notices = defineResource({
  name: 'notices',
  uri: 'desk://notices',
  read: async () => 'notices',
})
const change = defineTool({
  name: 'change',
  description: 'Changes a ticket.',
  input: z.object({ uri: z.string() }),
  output: z.object({}),
  async run({ input, announce }) {
    announce.resourceUpdated(input.uri)
    return {}
  },
})

let server: TestServer
const open: Listening[] = []
beforeAll(async () => {
  server = await startTestServer({
    server: defineServer({ name: 'desk' }),
    tools: [change],
    resources: [tickets, notices],
    env: { RATE_LIMIT: 'off' },
  })
})
afterEach(async () => {
  for (const stream of open.splice(0)) {
    stream.close()
    await stream.ended
  }
})
afterAll(() => server.stop())

interface Link {
  readonly url: string
  readonly code: string
  readonly session: string
}

const linkIn = (result: Record<string, unknown> | undefined) => result?.structuredContent as Link

const changed = (uri: string) =>
  read(postModern(server.url, 'tools/call', { name: 'change', arguments: { uri } }))

describe('in 2026-07-28', () => {
  const logIn = async (person: string): Promise<string> => {
    const { message } = await read(postModern(server.url, 'tools/call', { name: 'login' }))
    const link = linkIn(message.result)
    await signInAs(newBrowser(), link, person)
    return link.session
  }

  async function listen(uris: readonly string[], session?: string) {
    const meta = session === undefined ? {} : { [SESSION]: session }
    const notifications = { resourceSubscriptions: uris }
    const stream = await listenTo((signal) =>
      postModern(server.url, 'subscriptions/listen', { notifications }, { meta, signal }),
    )
    open.push(stream)
    const { message } = await stream.until(withMethod('notifications/subscriptions/acknowledged'))
    const accepted = message?.params?.notifications as { resourceSubscriptions?: string[] }
    return { stream, uris: accepted.resourceSubscriptions }
  }

  test('only callers who may read a resource may listen to it', async () => {
    const [ada, grace] = [await logIn('ada'), await logIn('grace')]
    const asked = ['desk://tickets/ada', 'desk://tickets/grace', 'desk://notices']
    expect((await listen(asked, ada)).uris).toEqual(['desk://tickets/ada', 'desk://notices'])
    expect((await listen(asked, grace)).uris).toEqual(['desk://tickets/grace', 'desk://notices'])
    expect((await listen(asked)).uris).toEqual(['desk://notices'])
    expect((await listen(asked, `ses_${'a'.repeat(43)}`)).uris).toEqual(['desk://notices'])
  })

  test('a stream of personal resources ends with its session', async () => {
    const session = await logIn('ada')
    const { stream } = await listen(['desk://tickets/ada'], session)
    await changed('desk://tickets/ada')
    await stream.until(withMethod('notifications/resources/updated'))
    await read(postModern(server.url, 'tools/call', { name: 'logout', arguments: { session } }))
    expect(await stream.ended).toBe(true)
  })
})

describe('in 2025-11-25', () => {
  const call = (headers: HeaderFields, method: string, params: object) =>
    read(post(server.url, request(method, params), headers)).then(({ message }) => message)
  const subscribe = (headers: HeaderFields, uri: string) =>
    call(headers, 'resources/subscribe', { uri })

  async function logIn(person: string, headers: HeaderFields) {
    const { result } = await call(headers, 'tools/call', { name: 'login' })
    await signInAs(newBrowser(), linkIn(result), person)
    return headers
  }

  test('only callers who may read a resource may subscribe to it', async () => {
    const ada = await logIn('ada', await connect(server.url))
    const anonymous = await connect(server.url, { elicitation: { form: {}, url: {} } })
    expect((await subscribe(ada, 'desk://tickets/ada')).result).toEqual({})
    expect((await subscribe(ada, 'desk://tickets/grace')).error?.code).toBe(-32002)
    expect((await subscribe(anonymous, 'desk://tickets/ada')).error).toMatchObject({
      code: -32603,
      data: { code: 'login_required' },
    })
    expect((await subscribe(anonymous, 'desk://notices')).result).toEqual({})
  })

  test('after a logout no updates of personal resources are sent', async () => {
    const ada = await logIn('ada', await connect(server.url))
    await subscribe(ada, 'desk://tickets/ada')
    const stream = await listenTo((signal) =>
      fetch(`${server.url}/mcp`, { headers: { accept: 'text/event-stream', ...ada }, signal }),
    )
    open.push(stream)
    await changed('desk://tickets/ada')
    await stream.until(withMethod('notifications/resources/updated'))
    await call(ada, 'tools/call', { name: 'logout' })
    await logIn('grace', ada)
    await changed('desk://tickets/ada')
    await subscribe(ada, 'desk://notices')
    await changed('desk://notices')
    await stream.until(({ message }) => message?.params?.uri === 'desk://notices')
    const updates = stream.messages.filter(({ params }) => params?.uri !== undefined)
    expect(updates.map(({ params }) => params?.uri)).toEqual([
      'desk://tickets/ada',
      'desk://notices',
    ])
  })
})
