/** `UPSTREAM_ALLOW` at the provider: accepted accounts, by ID token and userinfo. */

import { describe, expect, test } from 'vitest'
import { allowedBy } from '../../src/upstream/allow-list.ts'
import { ProviderError } from '../../src/upstream/identity-provider.ts'
import { load } from '../config/load.ts'
import {
  byEndpoints,
  byIssuer,
  CALLBACK,
  CHECK,
  type FakeProvider,
  REDIRECT_URI,
  startProvider,
} from './fake-provider.ts'
import { json } from './misbehaving-server.ts'

function allows(given: string) {
  const { allow = [] } = load({ UPSTREAM_ALLOW: given }).config.signIn
  return allowedBy(allow)
}

describe('an email domain', () => {
  const isAllowed = allows('@acme.com')
  const at = (email: unknown, email_verified: unknown = true) => ({
    sub: '1',
    email,
    email_verified,
  })

  test.each([
    at('ada@acme.com'),
    at('Ada@ACME.com'),
    at('ada@acme.com', 'true'),
    at('a+b@acme.com'),
  ])('allows %j', (claims) => expect(isAllowed(claims)).toBe(true))

  test.each([
    at('ada@acme.com', false),
    at('ada@acme.com', 'false'),
    at('ada@acme.com', 1),
    at('ada@acme.com', null),
    { sub: '1', email: 'ada@acme.com' },
    { sub: '1', email_verified: true },
    { sub: 'ada@acme.com', preferred_username: 'ada@acme.com', upn: 'ada@acme.com' },
    at('ada@evil.com'),
    at('ada@mail.acme.com'),
    at('ada@notacme.com'),
    at('ada@acme.com.evil.com'),
    at('ada@acme.com@evil.com'),
    at('"ada@acme.com"@evil.com'),
    at('ada@acme.com/evil.com'),
    at('ada@acme.com?evil.com'),
    at('ada@acme.com#@evil.com'),
    at('ada@acme.com evil.com'),
    at('ada@acme.com\nevil'),
    at('ada@\u0430cme.com'),
    at('@acme.com'),
    at('acme.com'),
    at(''),
    at(['ada@acme.com']),
    at({ toString: 'ada@acme.com' }),
    {},
  ])('refuses %j', (claims) => expect(isAllowed(claims)).toBe(false))
})

describe('an address', () => {
  const isAllowed = allows('Ada@acme.com')
  const verified = { email_verified: true }
  test('is compared completely, whatever the case', () => {
    expect(isAllowed({ ...verified, email: 'ada@ACME.com' })).toBe(true)
    expect(isAllowed({ ...verified, email: 'grace@acme.com' })).toBe(false)
    expect(isAllowed({ email: 'ada@acme.com' })).toBe(false)
  })

  test('does not match letters that are only similar in lower case', () => {
    expect(allows('kate@acme.com')({ ...verified, email: '\u212Aate@acme.com' })).toBe(false)
  })
})

describe('a subject, a group, a claim', () => {
  test.each([
    ['sub:7', { sub: '7' }, true],
    ['sub:7', { sub: '77' }, false],
    ['sub:Ada', { sub: 'ada' }, false],
    ['group:eng', { groups: ['ops', 'eng'] }, true],
    ['group:eng', { groups: 'eng' }, true],
    ['group:eng', { groups: 'engineering' }, false],
    ['group:eng', { groups: ['Eng'] }, false],
    ['group:eng', { groups: { eng: true } }, false],
    ['group:eng', { groups: [['eng']] }, false],
    ['group:eng', { roles: ['eng'] }, false],
    ['group:eng', {}, false],
    ['roles=admin', { roles: ['admin'] }, true],
    ['realm_access.roles=admin', { realm_access: { roles: ['admin'] } }, true],
    ['realm_access.roles=admin', { 'realm_access.roles': ['admin'] }, true],
    ['realm_access.roles=admin', { realm_access: null }, false],
    ['https://acme.com/groups=eng', { 'https://acme.com/groups': ['eng'] }, true],
    ['employee=true', { employee: true }, true],
    ['level=3', { level: 3 }, true],
    ['constructor.name=Object', {}, false],
    ['__proto__=x', {}, false],
    ['sub:1,group:eng', { sub: '2', groups: ['eng'] }, true],
  ])('%s of %j: %s', (given, claims, allowed) => {
    expect(allows(given)(claims)).toBe(allowed)
  })
})

async function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'signed in',
    (error: unknown) => (error instanceof ProviderError ? error.code : String(error)),
  )
}

const isAllowed = allows('@acme.com, sub:583')
const byId = (fake: FakeProvider) =>
  outcome(byIssuer(fake, { isAllowed }).exchange(CALLBACK, REDIRECT_URI, CHECK))

/** Sets claims of the person in the provider's ID token. */
function claim(fake: FakeProvider, claims: object): void {
  const id_token = fake.sign({ ...fake.claims(), ...claims })
  fake.paths['/token'] = json(fake.tokens({ id_token }))
}

const revoked = (fake: FakeProvider) =>
  fake.seen.filter(({ url }) => url === '/revoke').map(({ body }) => new URLSearchParams(body))

describe('with OpenID Connect', () => {
  const good = { email: 'ada@acme.com', email_verified: true }

  test('the ID token suffices', async () => {
    const fake = await startProvider()
    claim(fake, good)
    expect(await byId(fake)).toBe('signed in')
    expect(revoked(fake)).toEqual([])
  })

  test('userinfo adds missing claims', async () => {
    const fake = await startProvider()
    fake.paths['/me'] = json({ sub: 'ada', ...good })
    expect(await byId(fake)).toBe('signed in')
  })

  test.each([
    ['of another subject', { sub: 'grace', ...good }],
    ['without a subject', good],
    ['with the subject in another field', { id: 'ada', ...good }],
    ['without the verification', { sub: 'ada', email: 'ada@acme.com' }],
  ])('userinfo %s does not count, and the tokens are revoked', async (_what, userinfo) => {
    const fake = await startProvider()
    claim(fake, { email_verified: true })
    fake.paths['/me'] = json(userinfo)
    fake.paths['/revoke'] = json({})
    expect(await byId(fake)).toBe('account_refused')
    expect(revoked(fake).map((form) => form.get('token'))).toEqual([
      'secret-refresh',
      'secret-access',
    ])
  })

  test('a provider without revocation refuses, too', async () => {
    const fake = await startProvider()
    claim(fake, { email: 'eve@evil.com', email_verified: true })
    expect(await byId(fake)).toBe('account_refused')
  })

  test.each([500, 429])(
    'userinfo with status %i is neither acceptance nor refusal',
    async (status) => {
      const fake = await startProvider()
      fake.paths['/me'] = json({}, status)
      fake.paths['/revoke'] = json({})
      expect(await byId(fake)).toBe('provider_unavailable')
      expect(revoked(fake)).toHaveLength(2)
    },
  )
})

describe('with plain OAuth 2.0', () => {
  const plain = (fake: FakeProvider) => {
    fake.paths['/token'] = json(fake.tokens())
    return outcome(byEndpoints(fake, { isAllowed }).exchange(CALLBACK, REDIRECT_URI, CHECK))
  }

  test.each([
    [{ id: 583 }, 'signed in'],
    [{ sub: '583' }, 'signed in'],
    [{ id: 584 }, 'account_refused'],
    [{ id: 1, email: 'ada@acme.com' }, 'account_refused'],
    [{ email: 'ada@acme.com', email_verified: true }, 'account_refused'],
    [{}, 'account_refused'],
  ])('userinfo decides: %j', async (userinfo, expected) => {
    const fake = await startProvider()
    fake.paths['/me'] = json(userinfo)
    expect(await plain(fake)).toBe(expected)
  })
})
