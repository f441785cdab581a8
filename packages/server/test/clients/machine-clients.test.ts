/** Official clients without a browser, in TypeScript and Python: one session through expiring tokens. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  Client,
  ClientCredentialsProvider,
  CrossAppAccessProvider,
  discoverAndRequestJwtAuthGrant,
  type OAuthClientProvider,
  PrivateKeyJwtProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import {
  type AssertionIssuer,
  JWT_BEARER_GRANT,
  startAssertionIssuer,
} from '../support/assertion-issuer.ts'
import { ERAS, type Era, errorCode } from '../support/clients.ts'
import { redisMissing } from '../support/redis-suite.ts'
import { describeUnless } from '../support/suite-that-needs.ts'
import { CLUSTER_CATALOG, startThreeNodes } from '../support/three-nodes.ts'
import {
  isProgramRequired,
  OFFICIAL_PROGRAMS,
  type OfficialProgram,
  programMissing,
} from './official-programs.ts'

const TOKEN_SECONDS = 30
const SECRET = 'the secret of the machine'

interface Served {
  readonly url: string
  stop(): Promise<void>
}

type Variables = Readonly<Record<string, string>>

const places = {
  'one node': (env: Variables): Promise<Served> =>
    startApp({ env, catalogDirectory: CLUSTER_CATALOG }),
  'three nodes': (env: Variables): Promise<Served> => startThreeNodes({ env: () => env }),
}

const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
const jwk = { ...(await exportJWK(publicKey)), alg: 'RS256', use: 'sig' }
const pem = await exportPKCS8(privateKey)

interface MachineKind {
  readonly client: Readonly<Record<string, unknown>>
  provider(clientId: string, expectedIssuer: string, issuer: AssertionIssuer): OAuthClientProvider
}

const KINDS: Readonly<Record<string, MachineKind>> = {
  ClientCredentialsProvider: {
    client: { grant_types: ['client_credentials'], client_secret: SECRET },
    provider: (clientId, expectedIssuer) =>
      new ClientCredentialsProvider({ clientId, clientSecret: SECRET, expectedIssuer }),
  },
  PrivateKeyJwtProvider: {
    client: {
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    },
    provider: (clientId, expectedIssuer) =>
      new PrivateKeyJwtProvider({
        ...{ clientId, privateKey: pem, algorithm: 'RS256', expectedIssuer },
      }),
  },
  CrossAppAccessProvider: {
    client: { grant_types: [JWT_BEARER_GRANT], client_secret: SECRET },
    provider: (clientId, expectedIssuer, issuer) =>
      new CrossAppAccessProvider({
        ...{ clientId, clientSecret: SECRET, expectedIssuer },
        async assertion({ authorizationServerUrl, resourceUrl, scope, fetchFn }) {
          const { jwtAuthGrant } = await discoverAndRequestJwtAuthGrant({
            idpUrl: issuer.url,
            ...{ audience: authorizationServerUrl, resource: resourceUrl },
            ...{ idToken: 'ada', clientId, ...(scope !== undefined && { scope }), fetchFn },
          })
          return jwtAuthGrant
        },
      }),
  },
}

const machines = Object.entries(KINDS).flatMap(([name, kind]) =>
  ERAS.map((era) => ({ title: `${name}, ${era}`, id: `${name}-${era}`, era, kind })),
)

const run = promisify(execFile)
const PYTHON = { secret: 'ClientCredentialsProvider', key: 'PrivateKeyJwtProvider' }

/** The Python clients; only the newer one has identity assertions. */
const programs = [
  ...Object.entries(PYTHON).map(([way, name]) => ['mcp 1.30', way, name] as const),
  ...Object.entries({ ...PYTHON, assertion: 'CrossAppAccessProvider' }).map(
    ([way, name]) => ['mcp 2.3, auto', way, name] as const,
  ),
].map(([title, way, name]) => ({ title, way, kind: KINDS[name], id: `${title} ${way}` }))

/** Runs the Python client, which makes two calls; returns their outcomes. */
async function runProgram(
  { title, way, id }: (typeof programs)[number],
  url: string,
  idp: string,
): Promise<unknown> {
  const program = programNamed(title)
  const script = join(import.meta.dirname, 'programs/machine.py')
  const args = [script, way, `${url}/mcp`, id, String(TOKEN_SECONDS)]
  const env = { ...process.env, SECRET, KEY: pem, IDP: idp }
  const { stdout } = await run(program.needs, args, { env })
  return JSON.parse(stdout)
}

function programNamed(title: string): OfficialProgram {
  return OFFICIAL_PROGRAMS.find((each) => each.title === title) ?? expect.fail(`no ${title}`)
}

/** Connects; a machine that must open a page fails the test. */
async function connect(url: string, era: Era, authProvider: OAuthClientProvider) {
  const client = new Client(
    { name: 'machine', version: '1' },
    {
      capabilities: { elicitation: { url: {} } },
      versionNegotiation: { mode: era === '2026-07-28' ? { pin: era } : 'legacy' },
    },
  )
  const opened: string[] = []
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    opened.push(params.message)
    return { action: 'decline' }
  })
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { authProvider })
  await client.connect(transport)
  return { client, transport, opened }
}

describe.each(['one node', 'three nodes'] as const)('on %s', (place) => {
  const missing = place === 'three nodes' ? redisMissing('plain') : undefined
  describeUnless(missing, 'REQUIRE_REDIS', 'a machine keeps its session', () => {
    let issuer: AssertionIssuer
    let served: Served
    beforeAll(async () => {
      issuer = await startAssertionIssuer()
      served = await places[place]({
        ...{ MCP_AUTH: 'required', RATE_LIMIT: 'off', ACCESS_TOKEN_TTL: String(TOKEN_SECONDS) },
        OAUTH_ID_JAG_ISSUERS: issuer.url,
        OAUTH_CLIENTS: JSON.stringify(
          [...machines, ...programs].map(({ id, kind }) => ({ client_id: id, ...kind?.client })),
        ),
      })
    }, 300_000)
    afterAll(async () => {
      await served?.stop()
      await issuer?.stop()
    })

    test.concurrent.each(machines)('$title', { timeout: 400_000 }, async ({ id, era, kind }) => {
      const provider = kind.provider(id, served.url, issuer)
      const { client, transport, opened } = await connect(served.url, era, provider)
      const remember = async (text: string) => {
        const { structuredContent } = await client.callTool({
          name: 'remember',
          arguments: { text },
        })
        return (structuredContent as { readonly before: string } | undefined)?.before
      }
      expect(await remember('first')).toBe('')
      const before = [await provider.tokens(), transport.sessionId] as const
      expect(before[0]?.refresh_token).toBeUndefined()
      await delay((TOKEN_SECONDS + 1) * 1000)
      expect(await remember('second')).toBe('first')
      const after = [await provider.tokens(), transport.sessionId] as const
      expect(after[0]?.access_token).not.toBe(before[0]?.access_token)
      expect(after[1]).toBe(before[1])
      if (kind.client.grant_types?.toString() === 'client_credentials') {
        const login = await client.callTool({ name: 'login', arguments: {} })
        expect([errorCode(login), opened]).toEqual(['login_required', []])
      }
      await client.close()
    })

    for (const each of programs) {
      const program = programNamed(each.title)
      const missing = programMissing(program)
      if (missing !== undefined && !isProgramRequired(program)) {
        process.stderr.write(`Skipped: ${each.id}: ${missing}\n`)
        test.skip(`${each.id} (${missing})`, () => undefined)
        continue
      }
      test.concurrent(each.id, { timeout: 400_000 }, async () => {
        const said = await runProgram(each, served.url, issuer.url)
        expect(said).toEqual({ before: ['', 'first'], renewed: true })
      })
    }
  })
})
