/** Pagination: each list is one page, without a cursor, and an unknown cursor is refused. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { ERAS } from '../support/clients.ts'
import { letDirectCallerIn } from '../support/direct.ts'
import { ask, PROTOCOL_CATALOG } from '../support/wire.ts'

const LISTS = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

describe.each(ERAS)('in %s', (era) => {
  test.each(LISTS)('%s', async (method) => {
    for (const params of [{}, { cursor: '' }, { cursor: null }]) {
      const { message } = await ask(app.url, era, method, params)
      expect(message.result).toBeDefined()
      expect(message.result).not.toHaveProperty('nextCursor')
    }
    for (const cursor of ['bogus', '0', ' ', 'eyJvZmZzZXQiOjB9']) {
      const { message } = await ask(app.url, era, method, { cursor })
      expect(message.error).toMatchObject({
        code: -32602,
        message: expect.stringContaining('cursor'),
      })
    }
  })
})

test('in direct calls', async () => {
  const direct = await letDirectCallerIn(app.url)
  const { status, body } = await direct.call('tools/list', { cursor: 'bogus' })
  expect([status, body.code]).toEqual([400, 'invalid_params'])
})
