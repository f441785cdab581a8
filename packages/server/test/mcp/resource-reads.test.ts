/** Reading resources in either era: URIs and their variables, contents and refusals. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { moduleOf, writeCatalog } from '../engine/catalog.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { ERAS } from '../support/clients.ts'
import { sendRequest } from '../support/wire.ts'

const SECRET = 'GB33BUKB20201555555555'

const CATALOG = {
  'resources/all.ts': moduleOf(`export default [
    defineResource({ name: 'note', uri: 'doc://notes/{id}{?lang,page}',
      read: async ({ uri, variables }) => ({ uri: uri.href, ...variables }) }),
    defineResource({ name: 'files', uri: 'doc://files/{+path}',
      read: async ({ variables }) => String(variables.path) }),
    defineResource({ name: 'fixed', uri: 'doc://notes/fixed', mimeType: 'text/plain',
      read: async () => 'fixed' }),
    defineResource({ name: 'root', uri: 'https://example.com', read: async () => 'root' }),
    defineResource({ name: 'bytes', uri: 'doc://bytes', mimeType: 'application/pdf',
      read: async () => new Uint8Array([0, 255, 16, 0]).subarray(1, 3) }),
    defineResource({ name: 'untyped', uri: 'doc://untyped',
      read: async () => Buffer.from('hello') }),
    defineResource({ name: 'image', uri: 'doc://image', mimeType: 'application/pdf',
      read: async () => ({ blob: new Uint8Array([1, 2, 3]), mimeType: 'image/png' }) }),
    defineResource({ name: 'base64url', uri: 'doc://base64url',
      read: async () => ({ blob: '_-8' }) }),
    defineResource({ name: 'nothing', uri: 'doc://nothing', read: async () => undefined }),
    defineResource({ name: 'account', uri: 'doc://account',
      output: z.object({ owner: z.string(), iban: masked(z.string(), { left: 4, right: 2 }) }),
      read: async () => ({ owner: 'Ada', iban: '${SECRET}', internal: 'undeclared' }) }),
    defineResource({ name: 'wrong', uri: 'doc://wrong', output: z.object({ iban: masked(z.string()) }),
      read: async () => ({ iban: ['${SECRET}'] }) }),
  ]`),
}

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: writeCatalog(CATALOG), env: { RATE_LIMIT: 'off' } })
})
afterAll(() => app.stop())

describe.each(ERAS)('in %s', (era) => {
  const read = async (uri: string) =>
    (await sendRequest(app.url, era, 'resources/read', { uri })).message
  const contents = async (uri: string) => (await read(uri)).result?.contents
  const json = async (uri: string) => {
    const [first] = (await contents(uri)) as [{ text: string }]
    return JSON.parse(first.text)
  }
  const notFound = era === '2025-11-25' ? -32002 : -32602

  test('variables arrive decoded, once, and parameters in any order', async () => {
    const uri = 'doc://notes/a%2Fb%2525?page=2&lang=pt%20br'
    expect(await json(uri)).toEqual({ uri, id: 'a/b%25', lang: 'pt br', page: '2' })
    expect(await json('doc://notes/1?page=2')).toEqual({
      uri: 'doc://notes/1?page=2',
      id: '1',
      page: '2',
    })
  })

  test('a fixed URI takes precedence over a template, also in its normalized form', async () => {
    expect(await contents('doc://notes/fixed')).toMatchObject([{ text: 'fixed' }])
    expect(await contents('https://example.com')).toMatchObject([{ text: 'root' }])
    expect(await contents('HTTPS://EXAMPLE.com/')).toMatchObject([{ text: 'root' }])
  })

  test.each([
    ['bad encoding', 'doc://notes/100%'],
    ['a line break', 'doc://notes/a%0D%0Ab'],
    ['encoded dots and slashes', 'doc://files/a/%2e%2e%2f%2e%2e%2fetc'],
    ['no URI', 'notes'],
  ])('%s is an invalid URI', async (_what, uri) => {
    const { error } = await read(uri)
    expect(error).toMatchObject({ code: -32602, data: { uri, reason: 'invalid_uri' } })
    expect(error?.message).toMatch(/^Invalid resource URI: .+\.$/)
  })

  test.each(['doc://notes/', 'doc://notes/1/2', 'doc://notes/1?other=1', 'doc://files/..', 'x:y'])(
    '%s is not a resource',
    async (uri) => {
      expect((await read(uri)).error).toMatchObject({ code: notFound, data: { uri } })
    },
  )

  test('a URI of more than 2048 bytes is refused', async () => {
    const { error } = await read(`doc://files/${'a'.repeat(2048)}`)
    expect(error).toMatchObject({ code: -32602 })
  })

  test('bytes are sent as base64, with their type', async () => {
    expect(await contents('doc://bytes')).toEqual([
      { uri: 'doc://bytes', mimeType: 'application/pdf', blob: '/xA=' },
    ])
    expect(await contents('doc://untyped')).toEqual([
      { uri: 'doc://untyped', mimeType: 'application/octet-stream', blob: 'aGVsbG8=' },
    ])
    expect(await contents('doc://image')).toEqual([
      { uri: 'doc://image', mimeType: 'image/png', blob: 'AQID' },
    ])
  })

  test.each(['doc://base64url', 'doc://nothing'])('%s cannot be sent', async (uri) => {
    const { error } = await read(uri)
    expect(error).toMatchObject({ code: -32603, data: { code: 'invalid_output' } })
  })

  test('with a schema, undeclared fields are dropped and masks applied', async () => {
    expect(await contents('doc://account')).toEqual([
      {
        uri: 'doc://account',
        mimeType: 'application/json',
        text: '{"owner":"Ada","iban":"GB33****************55"}',
      },
    ])
  })

  test('invalid content is not disclosed, in the response or the log', async () => {
    const { error } = await read('doc://wrong')
    expect(error).toMatchObject({ code: -32603, data: { code: 'invalid_output' } })
    expect(JSON.stringify(error)).not.toContain(SECRET)
    expect(app.lines.join('\n')).not.toContain(SECRET)
  })

  test('lists have the MIME type of resources with a schema', async () => {
    const { message } = await sendRequest(app.url, era, 'resources/list', {})
    expect(message.result?.resources).toContainEqual({
      name: 'account',
      uri: 'doc://account',
      mimeType: 'application/json',
    })
  })
})
