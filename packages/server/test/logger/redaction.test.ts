/** No secret reaches a log line, by any field or text. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shortHash } from '../../src/crypto/hash.ts'
import { createId } from '../../src/crypto/random-id.ts'
import { expectWithin } from '../support/expect-within.ts'
import { recordingLogger } from './lines.ts'

const CANARY = 'CANARY-0123456789'

describe('fields with the name of a secret', () => {
  it.each([
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'password',
    'redisPassword',
    'secret',
    'client_secret',
    'clientSecret',
    'token',
    'access_token',
    'accessToken',
    'refresh_token',
    'id_token',
    'code',
    'code_verifier',
    'codeVerifier',
    'apiKey',
    'api_key',
    'x-api-key',
    'upstreamApiKey',
    'credentials',
    'sessionId',
    'session_id',
    'mcp-session-id',
    'encryptionKeys',
    'REDIS_P',
    'handle',
  ])('hides %s at the top, deep down, in a child, in a list and in an error', (name) => {
    const { log, raw } = recordingLogger()
    log.info({ [name]: CANARY }, 'top')
    log.info({ a: { b: { c: { [name]: CANARY } } } }, 'deep')
    log.info({ list: [{ [name]: [CANARY] }] }, 'list')
    log.child({ headers: { [name]: CANARY } }).info('child')
    log
      .child({ a: 1 })
      .child({ [name]: { value: CANARY } })
      .info('grandchild')
    log.info({ err: new Error('x', { cause: { [name]: `c ${CANARY}` } }) }, 'cause')
    if (name !== 'code') log.info({ err: Object.assign(new Error('x'), { [name]: CANARY }) }, 'own')
    expect(raw.join('')).not.toContain(CANARY)
    expect(raw.slice(0, 6).filter((line) => !line.includes('[redacted]'))).toEqual([])
  })

  it('leaves harmless values and look-alikes', () => {
    const { log, lines } = recordingLogger()
    const fields = {
      token: undefined,
      sessionId: null,
      credentials: false,
      code: -32_600,
      maxTokens: 100,
      errorCode: 'not_found',
      session: '1a2b3c4d',
      status: 404,
    }
    log.info(fields, 'harmless')
    const { token: _, ...visible } = fields
    expect(lines()[0]).toMatchObject(visible)
  })

  it('leaves the logged object unchanged', () => {
    const { log } = recordingLogger()
    const fields = { password: CANARY, list: [{ token: CANARY }] }
    log.info(fields, 'logged')
    expect(fields).toEqual({ password: CANARY, list: [{ token: CANARY }] })
  })
})

describe('secrets inside text', () => {
  const id = createId('ses')
  const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.${CANARY}`

  it.each([
    ['a bearer token', `Authorization: Bearer ${CANARY}`],
    ['a bearer token in capitals', `BEARER ${CANARY}`],
    ['basic credentials', `Basic ${CANARY}==`],
    ['a token after a line break', `headers:\nBearer ${CANARY}`],
    ['a JWT', `got ${jwt} back`],
    ['a sign-in link', `https://mcp.example.com/connect/${CANARY}?x=1`],
    ['a callback', `/callback?code=${CANARY}&state=${CANARY}&iss=x`],
    ['a form', `code=${CANARY}&grant_type=authorization_code&code_verifier=${CANARY}`],
    ['JSON', JSON.stringify({ access_token: CANARY, token_type: 'x' })],
    ['JSON in JSON', JSON.stringify({ body: JSON.stringify({ refresh_token: CANARY }) })],
    ['an address', `connect to rediss://user:${CANARY}@redis:6379 failed`],
  ])('hides %s in messages, values, keys, errors and children', (_, text) => {
    const { log, raw, lines } = recordingLogger()
    log.info(text)
    log.info({ value: { deep: [text] } }, 'value')
    log.info({ [text]: 1 }, 'key')
    log.error({ err: new Error(text, { cause: new TypeError(text) }) }, 'error')
    log.child({ text }).info('child')
    expect(raw.join('')).not.toContain(CANARY)
    expect(lines()).toHaveLength(5)
  })

  it.each(['ses', 'con'])('shows a hash for ids of the kind %s', (kind) => {
    const secret = createId(kind)
    const { log, raw, lines } = recordingLogger()
    log.info({ key: `mcp:${secret}:data` }, `ended ${secret}`)
    log.info(`first\n${secret}`)
    expect(raw.join('')).not.toContain(secret.slice(4))
    const shown = `${kind}_#${shortHash(secret)}`
    expect(lines()[0]).toMatchObject({ key: `mcp:${shown}:data`, msg: `ended ${shown}` })
    expect(lines()[1]?.msg).toBe(`first\n${shown}`)
  })

  it('leaves ordinary text alone', () => {
    const text = 'POST /token answered 400: grant_type=refresh_token, exit code=1, state=anonymous'
    const { log, lines } = recordingLogger()
    log.info(text)
    expect(lines()[0]?.msg).toBe(text)
  })

  it('writes JSON, whatever is logged', () => {
    const { log, raw } = recordingLogger()
    const value = fc.anything({ withDate: true, withMap: true, withNullPrototype: true })
    const text = fc.constantFrom(`Bearer ${CANARY}`, id, jwt, '"', '\\', '\\"token\\":\\"')
    fc.assert(
      fc.property(value, fc.array(text), (fields, texts) => {
        log.info({ fields, texts }, texts.join(''))
        JSON.parse(raw.pop() ?? '')
      }),
      { numRuns: 1000 },
    )
  })

  it('is fast with long hostile lines', async () => {
    const { log } = recordingLogger()
    const parts = ['eyJ', 'ses_', 'Bearer ', '://', '/connect/', '\\"token', '://a:', '?code=']
    await expectWithin(2000, async () => {
      for (const part of parts) log.info(part.repeat(100_000))
    })
  })
})
