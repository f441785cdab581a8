/** Credentials that the API repeats in another spelling of JSON or of URLs: no tool sees them. */

import { expect, test } from 'vitest'
import { setUp, tokens } from '../upstream/api-client-setup.ts'

const TOKEN = 'ab+cd/ef==gh&ij'

type Spell = (text: string) => string
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

const IN_JSON: Readonly<Record<string, Spell>> = {
  '.NET': (text) => text.replace(/[+&]/g, (each) => escaped(each).toUpperCase().replace('U', 'u')),
  Java: (text) => text.replace(/[=&]/g, escaped),
  PHP: (text) => text.replaceAll('/', '\\/'),
  'a stranger, who escapes everything': (text) => text.replace(/./gs, escaped),
}

/** Has the API answer with this text; `TOKEN` is the caller's token. */
async function answering(text: string, type: string, status = 200) {
  const { client } = await setUp((res) => res.writeHead(status, { 'content-type': type }).end(text))
  return client.forCaller(tokens(TOKEN))
}

test.each(Object.entries(IN_JSON))('in JSON as written by %s', async (_who, spell) => {
  const text = `{"got":"Bearer ${spell(TOKEN)}","${spell(TOKEN)}":"a \\\\u002B \\"é\\u00e9\\u0022"}`
  expect(Object.keys(JSON.parse(text) as object)).toContain(TOKEN)
  const body = (await (await answering(text, 'application/json')).get('/a')) as object
  expect(Object.keys(body).join()).toMatch(/^got,\*+$/)
  expect(body).toMatchObject({ got: expect.stringMatching(/^Bearer \*+$/) })
  expect(Object.values(body)[1]).toBe('a \\u002B "éé"')
})

test.each(Object.entries(IN_JSON))('in JSON read as text, by %s', async (_who, spell) => {
  const api = await answering(`{"got":"${spell(TOKEN)}"}`, 'application/problem+json')
  const text = await api.get('/a', {}, { as: 'text' })
  expect(JSON.parse(text)).toEqual({ got: expect.stringMatching(/^\*+$/) })
})

test.each(Object.entries(IN_JSON))('in a refusal as written by %s', async (_who, spell) => {
  let seen: unknown
  const api = await answering(`{"got":"${spell(TOKEN)}"}`, 'application/json', 403)
  const explain = (_status: number, body: unknown) => {
    seen = body
    return 'No.'
  }
  await expect(api.get('/a', {}, { explain })).rejects.toThrow('No.')
  expect(seen).toEqual({ got: expect.stringMatching(/^\*+$/) })
})

test('in a URL with escapes in lower case', async () => {
  const inUrl = encodeURIComponent(TOKEN).replace(/%../g, (each) => each.toLowerCase())
  const api = await answering(`see /a?token=${inUrl}`, 'text/plain')
  expect(await api.get('/a', {}, { as: 'text' })).not.toContain('%2bcd')
})

test('other JSON with escapes, and bytes, are unchanged', async () => {
  const text = '{"a":"\\u002B \\u00e9 \\\\u002B","b":"\\ud83d\\ude00"}'
  const api = await answering(text, 'application/json')
  const bytes = await api.get('/a', {}, { as: 'bytes' })
  expect(Buffer.from(bytes).toString()).toBe(text)
  expect(await api.get('/a', {}, { as: 'text' })).toBe(text)
})
