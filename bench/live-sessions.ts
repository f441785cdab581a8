/**
 * Live sessions, each with an access token and an MCP session (2025 era). Written with the server's
 * own code, which leaves the same data in Redis: authorizing 100,000 clients in sequence would take
 * an hour.
 */

import { createSecretKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { createTokenEntries } from '../packages/server/src/auth/server/issued-tokens.ts'
import { loadConfig } from '../packages/server/src/config.ts'
import { createKeyRing } from '../packages/server/src/crypto/key-ring.ts'
import { createId, randomValue } from '../packages/server/src/crypto/random-id.ts'
import { McpSessions } from '../packages/server/src/mcp/legacy/mcp-sessions.ts'
import type { ClusterNode } from '../packages/server/src/mcp/nodes/cluster-node.ts'
import { Entries } from '../packages/server/src/oidc/entries.ts'
import { SessionManager } from '../packages/server/src/session/manager.ts'
import { createRedisStore } from '../packages/server/src/store/redis.ts'
import { environmentOf, type OurSettings, PUBLIC_URL } from './our-server.ts'

export interface LiveSessions {
  readonly count: number
  /** Files with one line per session: the headers of its caller. */
  readonly bearers: string
  readonly connectionsWithToken: string
  readonly connectionsWithout: string
}

const CLIENT_ID = 'bench'
const SCOPE = 'openid'
const PROTOCOL_VERSION = '2025-11-25'
const TTL_SECONDS = 6 * 60 * 60
const AT_A_TIME = 200

/** A no-op node: no stream of these MCP sessions is open, so there is nothing to publish. */
const NO_NODE: Pick<ClusterNode, 'send'> = { send: async () => undefined }

/** Creates `count` sessions in the server's Redis; writes the files to `folder`. */
export async function makeSessions(
  settings: OurSettings,
  count: number,
  folder: string,
): Promise<LiveSessions> {
  const { config, secrets } = loadConfig({ argv: [], env: environmentOf(settings), cwd: folder })
  const quiet = { info: () => undefined, warn: () => undefined }
  const store = createRedisStore({ ...storeAddress(config.store), log: quiet })
  await connected(store.ping)
  const make = sessionMaker(store, secrets)
  const made: Awaited<ReturnType<typeof make>>[] = []
  for (let done = 0; done < count; done += AT_A_TIME) {
    const next = Math.min(AT_A_TIME, count - done)
    made.push(...(await Promise.all(Array.from({ length: next }, make))))
  }
  await store.close()
  const write = (name: string, lines: readonly string[]) => {
    const file = join(folder, `${name}-${count}`)
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  }
  return {
    count,
    bearers: write(
      'bearers',
      made.map(({ bearer }) => bearer),
    ),
    connectionsWithToken: write(
      'owned',
      made.map((each) => `${each.bearer}\t${each.owned}`),
    ),
    connectionsWithout: write(
      'open',
      made.map(({ open }) => open),
    ),
  }
}

type Loaded = ReturnType<typeof loadConfig>
type RedisSettings = Extract<Loaded['config']['store'], { kind: 'redis' }>

function storeAddress(store: Loaded['config']['store']): RedisSettings {
  if (store.kind !== 'redis') throw new Error('The benchmark needs Redis')
  return store
}

async function connected(ping: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const done = await ping().then(
      () => true,
      () => attempt > 100,
    )
    if (done) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Writes the records of an authorized client: a session, the stub of its token, and the token. */
function sessionMaker(store: ReturnType<typeof createRedisStore>, secrets: Loaded['secrets']) {
  const now = Date.now
  const keyRing = createKeyRing(secrets.encryptionKeys)
  const sessions = new SessionManager({ store, now }, { ttlSeconds: TTL_SECONDS })
  const options = { prefix: 'oauth', longestTtlSeconds: TTL_SECONDS }
  const entries = new Entries({ store, keyRing, now }, options)
  const tokens = createTokenEntries({ store, keyRing }, options)
  const times = { ttlSeconds: TTL_SECONDS, unusedTtlSeconds: TTL_SECONDS }
  const mcpSessions = new McpSessions({ store, node: NO_NODE, now, sessions }, times)
  const secret = createSecretKey(Buffer.from(secrets.jwtSecret, 'utf8'))

  const connect = async (sessionId: string, needsToken: boolean) => {
    const clientInfo = { name: 'bench', version: '1' }
    const initialize = { protocolVersion: PROTOCOL_VERSION, capabilities: {}, clientInfo }
    const owner = { sessionId, needsToken, protocolVersion: PROTOCOL_VERSION }
    return (await mcpSessions.create({ ...owner, initialize })).id
  }

  return async () => {
    const sessionId = createId('ses')
    const anonymous = await sessions.create('connection')
    await sessions.createWithId(sessionId, 'token')
    const jti = randomValue()
    const iat = Math.floor(now() / 1000)
    const exp = iat + TTL_SECONDS
    const claims = { jti, session_id: sessionId, client_id: CLIENT_ID, scope: SCOPE }
    const stub = {
      kind: 'AccessToken',
      accountId: sessionId,
      grantId: sessionId,
      clientId: CLIENT_ID,
      scope: SCOPE,
    }
    await entries.write('AccessToken', jti, { ...stub, iat, exp }, TTL_SECONDS)
    await tokens.write(jti, { ...stub, iat, exp }, TTL_SECONDS)
    const token = await new SignJWT({ ...claims, iat, exp, sub: sessionId })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .setIssuer(PUBLIC_URL)
      .setAudience(`${PUBLIC_URL}/mcp`)
      .sign(secret)
    return {
      bearer: `Bearer ${token}`,
      owned: await connect(sessionId, true),
      open: await connect(anonymous.id, false),
    }
  }
}
