/**
 * Tokens signed with the secret are verified as jose verifies them, and verified tokens are cached.
 */

import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { CompactSign, type JWTPayload, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { createReadHs256, withTokenCache } from '../../src/auth/server/token-reader.ts'

const SECRET = createSecretKey(Buffer.from('a secret of more than thirty-two characters', 'utf8'))
const NOW = Date.UTC(2026, 6, 28)
const SECONDS = NOW / 1000
const EXPECTED = {
  typ: 'at+jwt',
  issuer: 'https://mcp.example.com',
  audience: ['https://mcp.example.com/mcp', 'https://mcp.example.com/http'],
  requiredClaims: ['jti', 'exp', 'session_id'],
  clockTolerance: 120,
}
const GOOD: JWTPayload = {
  iss: EXPECTED.issuer,
  aud: 'https://mcp.example.com/mcp',
  exp: SECONDS + 600,
  iat: SECONDS,
  jti: 'a-token',
  session_id: 'ses_1',
}

const read = createReadHs256(SECRET, EXPECTED, () => NOW)

/** Signs any claims, invalid ones included. */
function sign(claims: JWTPayload, header: object = {}, key = SECRET): Promise<string> {
  const protectedHeader = { alg: 'HS256', typ: 'at+jwt', ...header }
  const payload = new TextEncoder().encode(JSON.stringify(claims))
  return new CompactSign(payload).setProtectedHeader(protectedHeader).sign(key)
}

async function joseReads(token: string): Promise<JWTPayload | undefined> {
  const options = { ...EXPECTED, algorithms: ['HS256'], currentDate: new Date(NOW) }
  return jwtVerify(token, SECRET, options).then(
    ({ payload }) => payload,
    () => undefined,
  )
}

test('a valid token returns its claims', async () => {
  expect(read(await sign(GOOD))).toEqual(GOOD)
  const several = { ...GOOD, aud: ['https://elsewhere.example', 'https://mcp.example.com/http'] }
  expect(read(await sign(several))).toEqual(several)
})

const without = (name: string): JWTPayload => ({ ...GOOD, [name]: undefined })

test.each<[string, JWTPayload, object?]>([
  ['has run out', { ...GOOD, exp: SECONDS - 120 }],
  ['is valid later', { ...GOOD, nbf: SECONDS + 121 }],
  ['never runs out', without('exp')],
  ['runs out at a word', { ...GOOD, exp: 'never' as never }],
  ['has another issuer', { ...GOOD, iss: 'https://elsewhere.example' }],
  ['has another audience', { ...GOOD, aud: 'https://elsewhere.example' }],
  ['has no audience', without('aud')],
  ['has no id', without('jti')],
  ['has no session', without('session_id')],
  ['is of another type', GOOD, { typ: 'JWT' }],
  ['has no type', GOOD, { typ: undefined }],
])('one that %s is refused', async (_what, claims, header) => {
  expect(read(await sign(claims, header))).toBeUndefined()
})

test('clocks may differ by the tolerance', async () => {
  const claims = { ...GOOD, exp: SECONDS - 119, nbf: SECONDS + 120 }
  expect(read(await sign(claims))).toEqual(claims)
})

test('another secret, another algorithm and extensions are refused', async () => {
  const other = createSecretKey(Buffer.from('another secret of many characters, too', 'utf8'))
  expect(read(await sign(GOOD, {}, other))).toBeUndefined()
  expect(read(await sign(GOOD, { alg: 'HS512' }, longer(SECRET)))).toBeUndefined()
  const [, payload, signature] = (await sign(GOOD)).split('.')
  const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
  expect(read(`${none}.${payload}.${signature}`)).toBeUndefined()
  expect(read(`${none}.${payload}.`)).toBeUndefined()
})

/** HS512 requires a key of 64 bytes. */
function longer(key: typeof SECRET) {
  return createSecretKey(Buffer.concat([key.export(), key.export()]))
}

test('both agree on every modification of a token', async () => {
  const token = await sign(GOOD)
  await fc.assert(
    fc.asyncProperty(
      fc.nat(token.length),
      fc.nat(3),
      fc.string({ maxLength: 3 }),
      async (at, length, text) => {
        const changed = token.slice(0, at) + text + token.slice(at + length)
        const ours = read(changed)
        if (ours !== undefined) expect(ours).toEqual(await joseReads(changed))
      },
    ),
    { numRuns: 1000 },
  )
})

test('whatever the claims and headers, no token is accepted that jose refuses', async () => {
  const value = fc.oneof(fc.string(), fc.double(), fc.constant(SECONDS + 1), fc.constant(undefined))
  const claims = fc.record({ exp: value, nbf: value, jti: value, iss: value, aud: value })
  await fc.assert(
    fc.asyncProperty(claims, fc.constantFrom(...Object.keys(GOOD)), async (odd, kept) => {
      const token = await sign({ ...GOOD, ...odd, [kept]: GOOD[kept] } as JWTPayload)
      const ours = read(token)
      if (ours !== undefined) expect(ours).toEqual(await joseReads(token))
    }),
    { numRuns: 300 },
  )
})

const FACTS = {
  jti: 'a',
  grantId: 'ses_1',
  sessionId: 'ses_1',
  clientId: 'client',
  scopes: ['read'],
}

function readerOf(tokens: Readonly<Record<string, number>>) {
  const verifications: string[] = []
  let now = 0
  const reader = withTokenCache(
    {
      async read(token) {
        verifications.push(token)
        const expiresAt = tokens[token]
        return expiresAt === undefined || expiresAt <= now ? undefined : { ...FACTS, expiresAt }
      },
    },
    () => now,
  )
  return { reader, verifications, at: (time: number) => (now = time) }
}

test('a token is verified once, until it expires', async () => {
  const { reader, verifications, at } = readerOf({ good: 1000 })
  expect(await reader.read('good')).toMatchObject(FACTS)
  at(999)
  expect(await reader.read('good')).toMatchObject(FACTS)
  expect(verifications).toEqual(['good'])
  at(1000)
  expect(await reader.read('good')).toBeUndefined()
})

test('another token with the same end is another token', async () => {
  const { reader } = readerOf({ 'head.payload.signature': 1000 })
  await reader.read('head.payload.signature')
  expect(await reader.read('head.other.signature')).toBeUndefined()
})

test('an invalid token is verified each time', async () => {
  const { reader, verifications } = readerOf({})
  await reader.read('bad')
  await reader.read('bad')
  expect(verifications).toEqual(['bad', 'bad'])
})
