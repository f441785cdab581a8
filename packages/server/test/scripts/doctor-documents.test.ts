/** The doctor on client metadata documents: accepted, unreachable, or unsupported. */

import { expect, onTestFinished, test } from 'vitest'
import { parseArguments } from '../../../doctor/src/arguments.ts'
import { documents } from '../../../doctor/src/checks/documents.ts'
import { ask } from '../../../doctor/src/http.ts'
import { readMetadata } from '../../../doctor/src/metadata-document.ts'
import { firstFacts } from '../../../doctor/src/visit.ts'
import { startApp } from '../support/app.ts'
import { json, startServer } from '../upstream/misbehaving-server.ts'

/** Runs only this check, for a client whose document is on loopback, which the server does not fetch. */
async function checked(documentAt: (origin: string) => object, status = 200) {
  const app = await startApp({ env: { RATE_LIMIT: 'off' } })
  const host = await startServer((res, req, index) =>
    json(documentAt(host.origin), status)(res, req, index),
  )
  onTestFinished(async () => {
    await host.close()
    await app.stop()
  })
  const read = readMetadata(await ask(`${app.url}/.well-known/oauth-authorization-server`))
  if (!('metadata' in read)) throw new Error(read.fault.what)
  const { json: _, profiles, ...options } = parseArguments([app.url, '--client', 'chatgpt'])
  const document = `${host.origin}/client.json`
  const visit = {
    ...options,
    profiles: profiles.map((profile) => ({ ...profile, document })),
    say: () => undefined,
    facts: { ...firstFacts(undefined), builtIn: read.metadata },
  }
  return documents.run(visit)
}

const REDIRECTS = { redirect_uris: ['http://127.0.0.1/callback'] }

test('one that the server cannot fetch is reported, with the fix', async () => {
  const findings = await checked((origin) => ({
    ...{ client_id: `${origin}/client.json`, client_name: 'Acme', ...REDIRECTS },
  }))
  expect(findings).toEqual([
    expect.objectContaining({
      verdict: 'warning',
      what: expect.stringContaining('does not accept the document of ChatGPT'),
      mend: expect.stringContaining('reach the internet'),
    }),
  ])
})

test.each<[string, (origin: string) => object, number?]>([
  ['unavailable', () => ({}), 503],
  ['of another client', () => ({ client_id: 'https://other.example/client.json', ...REDIRECTS })],
  ['no document', () => ({})],
])('one that is %s is not a fault of the server', async (_what, documentAt, status) => {
  const [finding] = await checked(documentAt, status)
  expect(finding).toMatchObject({ verdict: 'skipped' })
})
