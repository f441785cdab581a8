/** The doctor on clients that prefer to sign their token requests, like ChatGPT. */

import { expect, onTestFinished, test } from 'vitest'
import { parseArguments } from '../../../doctor/src/arguments.ts'
import { authMethods } from '../../../doctor/src/checks/auth-methods.ts'
import { ask } from '../../../doctor/src/http.ts'
import { readMetadata } from '../../../doctor/src/metadata-document.ts'
import { firstFacts } from '../../../doctor/src/visit.ts'
import { startApp } from '../support/app.ts'
import { freePort } from '../support/free-port.ts'
import { type RecordingOptions, startRecordingBalancer } from '../support/recording-balancer.ts'

/** Runs only this check, on a server whose responses may be replaced. */
async function checked(
  interference: Omit<RecordingOptions, 'nodes'> = {},
  env: Readonly<Record<string, string>> = {},
  name = 'chatgpt',
) {
  const port = await freePort()
  const front = await startRecordingBalancer({ ...interference, nodes: [port] })
  const { url } = front
  const app = await startApp({ env: { MASK_MCP_PORT: String(port), PUBLIC_URL: url, ...env } })
  onTestFinished(async () => {
    await front.close()
    await app.stop()
  })
  const read = readMetadata(await ask(`${url}/.well-known/oauth-authorization-server`))
  if (!('metadata' in read)) throw new Error(read.fault.what)
  const { json: _, ...options } = parseArguments([url, '--client', name])
  const facts = { ...firstFacts(undefined), builtIn: read.metadata }
  const findings = await authMethods.run({ ...options, say: () => undefined, facts })
  return { findings, exchanges: front.exchanges }
}

test.each([{}, { LOGIN: 'at-authorize', MCP_AUTH: 'required' }])(
  'both documents of ChatGPT are tried, with an assertion (%j)',
  async (env) => {
    const { findings, exchanges } = await checked({}, env)
    expect(findings.map(({ verdict, what }) => [verdict, what])).toEqual([
      [
        'ok',
        expect.stringMatching(/prefers private_key_jwt and lists none.* is accepted as a public/),
      ],
      ['ok', expect.stringMatching(/names private_key_jwt alone.* is accepted as a public/)],
    ])
    const bodies = (path: string) =>
      exchanges.filter((each) => each.path === path).map(({ body }) => body)
    expect(bodies('/register').map((body) => JSON.parse(body))).toMatchObject([
      {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      },
      { token_endpoint_auth_method: 'private_key_jwt' },
    ])
    for (const body of bodies('/token')) expect(body).toContain('client_assertion=')
    // Its tokens are revoked.
    expect(bodies('/revoke')).toHaveLength(2)
  },
)

test('a server that refuses the method is detected', async () => {
  const refused = JSON.stringify({ error: 'invalid_client_metadata' })
  const { findings } = await checked({
    intercept: ({ path }) => (path === '/register' ? { status: 400, body: refused } : undefined),
  })
  expect(findings.map(({ verdict }) => verdict)).toEqual(['wrong', 'wrong'])
  expect(findings[0]?.what).toContain('400 invalid_client_metadata')
})

test('a server that fails on assertions is detected', async () => {
  const refused = JSON.stringify({ error: 'invalid_client' })
  const { findings } = await checked({
    intercept: ({ path }) => (path === '/token' ? { status: 401, body: refused } : undefined),
  })
  expect(findings.map(({ verdict }) => verdict)).toEqual(['warning', 'warning'])
})

test('the check is skipped for clients that are not known to prefer it', async () => {
  const { findings } = await checked({}, {}, 'cursor')
  expect(findings).toMatchObject([{ verdict: 'skipped' }])
})
