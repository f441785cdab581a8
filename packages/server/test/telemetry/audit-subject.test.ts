/** AUDIT_SUBJECT: the client is always in the audit log, the person as the operator chose. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { shortHash } from '../../src/crypto/hash.ts'
import { startApp } from '../support/app.ts'
import { JWT_BEARER_GRANT, startAssertionIssuer } from '../support/assertion-issuer.ts'
import { tokenUser } from '../support/machine-client.ts'
import { postForm } from '../support/oauth-client.ts'
import { login, newBrowser, signInAs } from '../support/sign-in.ts'
import { startTokenApp } from '../support/token-app.ts'

const CALLERS = new URL('../fixtures/callers', import.meta.url).pathname
const job = { client_id: 'nightly', client_secret: 'the secret of the job' }

interface Event {
  readonly msg: string
  readonly [field: string]: unknown
}

const eventsOf = ({ lines }: { readonly lines: readonly string[] }) =>
  lines.map((line) => JSON.parse(line) as Event).filter(({ stream }) => stream === 'audit')

const MODES = [
  ['off', undefined],
  ['hash', shortHash('ada')],
  ['subject', 'ada'],
] as const

describe.each(MODES)('AUDIT_SUBJECT=%s', (AUDIT_SUBJECT, subject) => {
  test('names the person of an assertion, and not a client without one', async () => {
    const issuer = await startAssertionIssuer()
    const grant_types = [JWT_BEARER_GRANT, 'client_credentials']
    const app = await startApp({
      env: {
        ...{ AUDIT_SUBJECT, OAUTH_ID_JAG_ISSUERS: issuer.url, RATE_LIMIT: 'off' },
        OAUTH_CLIENTS: JSON.stringify([{ ...job, grant_types }]),
      },
      catalogDirectory: CALLERS,
    })
    onTestFinished(async () => {
      await app.stop()
      await issuer.stop()
    })
    const assertion = await issuer.assertion(app.url, 'nightly')
    for (const params of [
      { grant_type: JWT_BEARER_GRANT, assertion },
      { grant_type: 'client_credentials' },
    ]) {
      const { body } = await postForm(`${app.url}/token`, { ...params, ...job })
      await tokenUser(app.url, String(body.access_token)).call('whoami')
    }
    const events = eventsOf(app)
    const calls = events.filter(({ msg }) => msg === 'tool call')
    expect(calls.map(({ client }) => client)).toEqual(['nightly', 'nightly'])
    expect(calls.map((call) => call.subject)).toEqual([subject, undefined])
    const issued = events.filter(({ msg }) => msg === 'token issued')
    expect(issued).toMatchObject([
      { client: 'nightly', grantType: JWT_BEARER_GRANT, issuer: issuer.url },
      { client: 'nightly', grantType: 'client_credentials' },
    ])
    expect(issued.map((each) => each.subject)).toEqual([subject, undefined])
    if (AUDIT_SUBJECT !== 'subject') expect(JSON.stringify(events)).not.toContain('"ada"')
  })

  test('names the person of an external token', async () => {
    const app = await startTokenApp({ env: { AUDIT_SUBJECT }, catalogDirectory: CALLERS })
    onTestFinished(() => app.stop())
    const { authorization } = await app.bearer()
    await tokenUser(app.url, authorization.slice('Bearer '.length)).call('whoami')
    const [call] = eventsOf(app).filter(({ msg }) => msg === 'tool call')
    expect(call).toMatchObject({ client: 'client-a', outcome: 'ok' })
    expect(call?.subject).toBe(subject)
  })

  test('names the signed-in user', async () => {
    const app = await startApp({ env: { AUDIT_SUBJECT } })
    onTestFinished(() => app.stop())
    await signInAs(newBrowser(), await login(app.url))
    const [signIn] = eventsOf(app).filter(({ msg }) => msg === 'sign-in')
    expect(signIn).toMatchObject({ outcome: 'signed_in' })
    expect(signIn?.subject).toBe(subject)
  })
})
