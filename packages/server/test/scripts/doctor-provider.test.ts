/** `npm run doctor` at servers whose identity provider is misconfigured, or does not answer. */

import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { examineServer, withVerdict } from '../support/doctor.ts'
import { type FakeProvider, startProvider } from '../upstream/fake-provider.ts'
import type { Answer } from '../upstream/misbehaving-server.ts'

const page =
  (text: string, status = 400): Answer =>
  (res) =>
    res.writeHead(status, { 'content-type': 'text/html' }).end(`<h1>Error</h1><p>${text}</p>`)

async function wrongAt(spoil: (provider: FakeProvider) => unknown, LOGIN = 'on-demand') {
  const provider = await startProvider()
  const app = await startApp({
    env: {
      ...{ UPSTREAM_ISSUER: provider.origin, UPSTREAM_CLIENT_ID: 'client-1', LOGIN },
      ...{ UPSTREAM_API_URL: 'http://127.0.0.1:1', RATE_LIMIT: 'off' },
    },
  })
  onTestFinished(() => app.stop())
  await spoil(provider)
  return withVerdict(await examineServer(app.url), 'wrong').join('\n')
}

test.each<[string, (provider: FakeProvider) => unknown, RegExp, string?]>([
  [
    'the redirect URI is not registered',
    ({ paths }) => {
      paths['/authorize'] = page('The redirect_uri is not registered for this client.')
    },
    /upstream-sign-in: .*refuses the redirect URI.*PUBLIC_URL\/callback/,
  ],
  [
    'the redirect URI is not registered, while a client is authorized',
    ({ paths }) => {
      paths['/authorize'] = page('Invalid redirect URL', 403)
    },
    /sign-in: .*refuses the redirect URI.*PUBLIC_URL\/callback/,
    'at-authorize',
  ],
  [
    'the client is not known',
    ({ paths }) => {
      paths['/authorize'] = page('invalid_client')
    },
    /upstream-sign-in: .*does not know the client.*UPSTREAM_CLIENT_ID/,
  ],
  [
    'it does not answer',
    (provider) => provider.close(),
    /upstream-sign-in: .*502.*UPSTREAM_ISSUER/,
  ],
])('the doctor reports that %s', { timeout: 240_000 }, async (_what, spoil, expected, login) => {
  expect(await wrongAt(spoil, login)).toMatch(expected)
})
