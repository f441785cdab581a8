/** `npm run doctor -- --token -`: the reasons why a token is refused, without the token itself. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { JWTPayload } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { explainToken } from '../../../doctor/src/explain-token.ts'
import { DOCTOR } from '../support/doctor.ts'
import { startTokenApp, type TokenApp } from '../support/token-app.ts'

let app: TokenApp
beforeAll(async () => {
  app = await startTokenApp({ env: { MCP_AUTH: 'required' } })
})
afterAll(() => app.stop())

const own = () => app.issuer.claims(`${app.url}/mcp`)

async function explained(claims: JWTPayload, typ = 'at+jwt') {
  const token = await app.issuer.sign(claims, { typ })
  const findings = await explainToken(token, app.url)
  expect(JSON.stringify(findings)).not.toContain(token)
  return findings.map(({ verdict, what, mend = '' }) => `${verdict}: ${what} ${mend}`)
}

test('a valid token is accepted', async () => {
  const lines = await explained(own())
  expect(lines.every((line) => line.startsWith('ok: '))).toBe(true)
  expect(lines.at(-1)).toContain('/mcp accepts it')
})

test.each<[string, () => object, RegExp, string?]>([
  [
    'an ID token',
    () => ({ ...own(), nonce: 'n' }),
    /wrong: It does not count as an access token: nonce/,
    'JWT',
  ],
  [
    'one without scopes',
    () => ({ ...own(), scope: undefined }),
    /wrong: .*none of scope, scp/,
    'JWT',
  ],
  [
    'one for others',
    () => ({ ...own(), aud: 'api://bank' }),
    /aud does not name this server.*OAUTH_AUDIENCE/,
  ],
  [
    'one of another issuer',
    () => ({ ...own(), iss: 'https://sts.windows.net/x/' }),
    /iss is not.*OAUTH_TOKEN_ISSUERS/,
  ],
  ['one that has expired', () => ({ ...own(), exp: 1_700_000_000 }), /wrong: It expired/],
  [
    'one with roles',
    () => ({ ...own(), scope: undefined, roles: ['r'] }),
    /warning: .*OAUTH_SCOPE_CLAIMS/,
  ],
])('%s is explained, with the variable to set', async (_what, claims, expected, typ) => {
  expect((await explained(claims() as JWTPayload, typ)).join('\n')).toMatch(expected)
})

test('without a JWT, or without a server', async () => {
  const [finding, ...others] = await explainToken('opaque', undefined)
  expect([finding?.verdict, finding?.mend, others]).toEqual([
    ...['warning', expect.stringContaining('OAUTH_INTROSPECTION=opaque')],
    [],
  ])
  const findings = await explainToken(await app.issuer.sign(own()), undefined)
  expect(findings.at(-1)?.verdict).toBe('skipped')
})

test.each([
  [['--token', '-'], 'Bearer TOKEN', 0],
  [['--token', 'eyJ.secret.x'], '', 2],
  [['--token', '-'], '', 2],
])('the command %j reads standard input', async (args, input, code) => {
  const child = spawn(process.execPath, [DOCTOR, ...args])
  const token = await app.issuer.sign(own())
  const out: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => void out.push(text))
  child.stdin.end(input.replace('TOKEN', token))
  expect((await once(child, 'close'))[0]).toBe(code)
  if (code === 0) expect(out.join('')).toContain('A JWT, signed with ES256')
  expect(out.join('')).not.toContain(token)
})
