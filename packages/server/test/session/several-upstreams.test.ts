/** Several named upstreams in one server: sign-in, API, session and logout for each, in both eras. */

import { describe, expect, test } from 'vitest'
import { DiscoveryError } from '../../src/engine/discover.ts'
import { startTestServer } from '../../src/testing/index.ts'
import { connectClient, ERAS, errorCode, structured } from '../support/clients.ts'
import {
  call,
  loginAt as login,
  OPERATOR_KEY,
  staffAccount,
  startSeveral,
} from '../support/several-upstreams.ts'
import { newBrowser, signInAs, submitCode } from '../support/sign-in.ts'

describe('signing in', () => {
  test('at each upstream by itself, with its own redirect URI and account', async () => {
    const { url } = await startSeveral()
    const first = await login(url)
    const { session } = first
    await signInAs(newBrowser(), first, 'ada')
    expect(errorCode(await call(url, 'staff_account', { session }))).toBe('login_required')
    const second = await login(url, { upstream: 'staff', session })
    const left = await submitCode(second.url, second.code)
    const leaves = new URL(left.headers.get('location') ?? '')
    expect(leaves.searchParams.get('redirect_uri')).toBe(`${url}/callback/staff`)
    const again = await login(url, { upstream: 'staff', session })
    const end = await signInAs(newBrowser(), again, 'grace')
    expect(end.text).toContain('Login successful')
    expect(structured(await call(url, 'both', { session }))).toEqual({
      first: 'Ada Lovelace',
      second: 'Grace Hopper',
    })
    expect(structured(await call(url, 'session', { session }))).toMatchObject({
      state: 'authenticated',
      name: 'Ada Lovelace',
      upstreams: [
        { upstream: 'demo', signedIn: true, name: 'Ada Lovelace' },
        { upstream: 'staff', signedIn: true, name: 'Grace Hopper' },
        { upstream: 'tickets', signedIn: false },
      ],
    })
  })

  test('shows where the link leads', async () => {
    const { url, staff } = await startSeveral()
    const page = await newBrowser().open((await login(url, { upstream: 'staff' })).url)
    expect(page.text).toContain(new URL(staff.idp.issuer).host)
  })

  test('is refused for an upstream without a sign-in', async () => {
    const { url } = await startSeveral()
    for (const upstream of ['orders', 'nobody', '__proto__', 7]) {
      expect(errorCode(await call(url, 'login', { upstream }))).toBe('invalid_arguments')
    }
  })
})

describe.each(ERAS)('%s: a tool that needs two sign-ins', (era) => {
  test('asks for one after the other, and continues', async () => {
    const { url } = await startSeveral()
    const asked: string[] = []
    const { client } = await connectClient(url, era, {
      async onUrl(link, message) {
        asked.push(message.replace(/code: .*/, ''))
        const code = /[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(message)?.[0] ?? ''
        await signInAs(newBrowser(), { url: link, code }, asked.length === 1 ? 'ada' : 'grace')
        return 'accept'
      },
    })
    const result = await client.callTool({ name: 'both', arguments: {} })
    expect(structured(result)).toEqual({ first: 'Ada Lovelace', second: 'Grace Hopper' })
    expect(asked).toEqual([
      expect.stringMatching(/^Sign in at demo /),
      expect.stringMatching(/^Sign in at staff /),
    ])
    await client.close()
  })
})

describe('the API of an upstream', () => {
  test('is not called for a tool without the sign-in', async () => {
    const { url } = await startSeveral()
    const { session } = await login(url)
    const refused = await call(url, 'undeclared', { session })
    expect(errorCode(refused)).toBe('login_required')
    expect(JSON.stringify(refused)).toContain('staff')
  })

  test('with an operator key needs no sign-in', async () => {
    const { url, server, ordersApi } = await startSeveral()
    const first = await login(url)
    await signInAs(newBrowser(), first, 'ada')
    const result = await call(url, 'orders')
    expect(result.isError).not.toBe(true)
    expect(ordersApi.seen.at(-1)?.headers.authorization).toBe(`Bearer ${OPERATOR_KEY}`)
    expect(JSON.stringify([result, server.log()])).not.toContain(OPERATOR_KEY)
  })
})

test('logout revokes at every upstream', async () => {
  const { url, staff } = await startSeveral()
  const first = await login(url)
  const { session } = first
  await signInAs(newBrowser(), first, 'ada')
  await signInAs(newBrowser(), await login(url, { upstream: 'staff', session }), 'grace')
  const asked: string[] = []
  const { handler } = staff.idp
  Object.assign(staff.idp, {
    handler: (...[req, res]: Parameters<typeof handler>) => {
      asked.push(req.url ?? '')
      return handler(req, res)
    },
  })
  expect(structured(await call(url, 'logout', { session }))).toEqual({ ended: true })
  expect(asked).toContain('/demo/idp/token/revocation')
  expect(errorCode(await call(url, 'staff_account', { session }))).toBe('session_not_found')
})

test('the audit log and the metrics name the upstream', async () => {
  const { url, server } = await startSeveral()
  await signInAs(newBrowser(), await login(url, { upstream: 'staff' }), 'ada')
  await signInAs(newBrowser(), await login(url), 'ada')
  const lines = server.log().filter(({ msg }) => msg === 'sign-in')
  expect(lines.map(({ upstream, outcome }) => [upstream, outcome])).toEqual([
    ['staff', 'signed_in'],
    ['demo', 'signed_in'],
  ])
  const metrics = await (await fetch(`${url}/metrics`)).text()
  expect(metrics).toMatch(/^mcp_sign_ins_total\{outcome="signed_in",upstream="staff"\} 1$/m)
  expect(metrics).toMatch(/^mcp_sign_ins_total\{outcome="signed_in"\} 1$/m)
})

test('an unavailable provider is detected at start, and the others work', async () => {
  const dead = 'http://127.0.0.1:1'
  const { url, server } = await startSeveral({ UPSTREAM_STAFF_ISSUER: dead })
  await expect
    .poll(() => server.log().filter(({ msg }) => msg === 'identity provider not reached'))
    .toMatchObject([{ upstream: 'staff' }])
  const first = await login(url)
  expect((await signInAs(newBrowser(), first, 'ada')).text).toContain('Login successful')
  const { url: link, code } = await login(url, { upstream: 'staff', session: first.session })
  expect((await submitCode(link, code)).status).toBe(502)
})

test('a tool that names an unknown upstream prevents the start', async () => {
  const start = startTestServer({ server: { name: 'x' }, tools: [staffAccount] })
  await expect(start).rejects.toThrow(DiscoveryError)
  await expect(start).rejects.toThrow(/staff_account.*"staff".*UPSTREAMS does not name/)
})
