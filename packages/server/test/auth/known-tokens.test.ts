/** What tokens say, remembered: never more than the reader said, and never for longer. */

import { expect, test } from 'vitest'
import { rememberTokens } from '../../src/auth/server/known-tokens.ts'

const FACTS = {
  jti: 'a',
  grantId: 'ses_1',
  sessionId: 'ses_1',
  clientId: 'client',
  scopes: ['read'],
}

function readerOf(tokens: Readonly<Record<string, number>>) {
  const asked: string[] = []
  let now = 0
  const reader = rememberTokens(
    {
      async read(token) {
        asked.push(token)
        const expiresAt = tokens[token]
        return expiresAt === undefined || expiresAt <= now ? undefined : { ...FACTS, expiresAt }
      },
    },
    () => now,
  )
  return { reader, asked, at: (time: number) => (now = time) }
}

test('a token is checked once, until it runs out', async () => {
  const { reader, asked, at } = readerOf({ good: 1000 })
  expect(await reader.read('good')).toMatchObject(FACTS)
  at(999)
  expect(await reader.read('good')).toMatchObject(FACTS)
  expect(asked).toEqual(['good'])
  at(1000)
  expect(await reader.read('good')).toBeUndefined()
})

test('another token with the same end is another token', async () => {
  const { reader } = readerOf({ 'head.payload.signature': 1000 })
  await reader.read('head.payload.signature')
  expect(await reader.read('head.other.signature')).toBeUndefined()
})

test('a token that is not good is looked at each time', async () => {
  const { reader, asked } = readerOf({})
  await reader.read('bad')
  await reader.read('bad')
  expect(asked).toEqual(['bad', 'bad'])
})
