/** Responses of a team's routes that cannot be sent: nothing internal leaves the server. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'

const SECRET = 'secret-of-the-database'
const { defineServer, defineRoute } = createMcp({ settings: z.object({}) })

const encoder = new TextEncoder()

/** A body of these parts, after which it fails. */
function failing(...parts: readonly string[]): ReadableStream<Uint8Array> {
  const left = [...parts]
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = left.shift()
      if (next === undefined) throw new Error(SECRET)
      controller.enqueue(encoder.encode(next))
    },
  })
}

const RESPONSES: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  text: () => 'x',
  error: () => Response.error(),
  async read() {
    const response = new Response(SECRET)
    await response.text()
    return response
  },
  locked() {
    const response = new Response(SECRET)
    response.body?.getReader()
    return response
  },
  'fails-first': () => new Response(failing()),
  'fails-later': () => new Response(failing('one', 'two', 'three', 'four')),
  whole: () =>
    new Response(new Blob(['one']).stream(), { status: 201, headers: { 'x-own': 'yes' } }),
  empty: () => new Response(null, { status: 204 }),
}

let server: TestServer
beforeAll(async () => {
  const routes = Object.entries(RESPONSES).map(([name, respond]) =>
    defineRoute({
      ...({ for: 'programs', method: 'GET' } as const),
      path: `/responses/${name}`,
      handle: respond as () => Response,
    }),
  )
  server = await startTestServer({ server: defineServer({ name: 'desk', routes }) })
})
afterAll(() => server.stop())

const get = (name: string) => fetch(`${server.url}/responses/${name}`)
const logged = () => server.log().filter(({ level }) => level === 'error')

test.each(['nothing', 'text', 'error', 'read', 'locked'])('%s is a problem', async (name) => {
  const before = logged().length
  const response = await get(name)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect([response.status, await response.json()]).toMatchObject([500, { code: 'internal_error' }])
  expect(JSON.stringify(logged().slice(before))).toContain(`/responses/${name} must return a Resp`)
})

test.each(['fails-first', 'fails-later'])('a body that %s is cut off, and logged', async (name) => {
  const before = logged().length
  const text = await get(name)
    .then((response) => response.text())
    .catch((error: unknown) => String(error))
  expect(text).not.toContain(SECRET)
  expect(text).toMatch(/terminated|fetch failed/)
  expect(logged().slice(before)).toMatchObject([
    { msg: 'response of a route failed', err: { message: SECRET } },
  ])
})

test('others are sent as they are', async () => {
  const whole = await get('whole')
  const fields = [whole.status, whole.headers.get('x-own'), await whole.text()]
  expect(fields).toEqual([201, 'yes', 'one'])
  expect((await get('empty')).status).toBe(204)
})
