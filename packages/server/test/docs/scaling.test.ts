/** Compares the table of keys in docs/scaling.md with the keys that servers write: names, lengths, TTLs. */

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { beforeAll, describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { createRedisKeys } from '../../src/store/redis-keys.ts'
import { startApp } from '../support/app.ts'
import { connectClient } from '../support/clients.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { newBrowser, signInAs } from '../support/sign-in.ts'
import { ROOT, readDocuments, sectionOf } from './markdown.ts'

/** A written key, with its name in Redis. */
interface Key {
  readonly name: string
  readonly length: string
  readonly ttl: string
}

const document = readDocuments().find(({ file }) => file === 'docs/scaling.md')
const rows = sectionOf(document ?? expect.fail('no docs/scaling.md'), 'What is in the store')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [, key = '', , length = '', ttl = ''] = line.split('|').map((cell) => cell.trim())
    return { key: key.replaceAll('`', ''), length, ttl }
  })

/** Distinct values, so that a TTL identifies its variable. */
const LIFETIMES: Readonly<Record<string, string>> = {
  SESSION_TTL: '4321',
  SIGN_IN_TTL: '543',
  AUTH_CODE_TTL: '321',
  ACCESS_TOKEN_TTL: '1234',
  REFRESH_TOKEN_TTL: '98765',
  REFRESH_GRACE: '45',
}

const ENVIRONMENT = { ...LIFETIMES, JWT_ALG: 'ES256', RATE_LIMIT: 'on' }

const PLACES: readonly (readonly [string, string])[] = [
  ['ses_…', String.raw`ses_[\w-]+`],
  ['con_…', String.raw`con_[\w-]+`],
  ['<node>', '[0-9a-f]{12}'],
  ['<n>', String.raw`\d+`],
  ['<endpoint>', '[a-z]+'],
  ['<hash>', String.raw`[\w-]{43,64}`],
  ['…', '.+'],
]

function patternOf(key: string): RegExp {
  const escaped = key.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  const filled = PLACES.reduce((text, [place, form]) => text.replaceAll(place, form), escaped)
  return new RegExp(`^${filled}$`)
}

/** Such as `60 s`, `SESSION_TTL, sliding` or a sum of both. */
function secondsOf(ttl: string): string {
  const terms = (ttl.split(',')[0] ?? '').split(' + ')
  const seconds = terms.map((term) => Number(LIFETIMES[term] ?? term.replace(/ s$/, '')))
  return String(seconds.reduce((sum, each) => sum + each, 0))
}

/** Tokens of a refresh end with their consent, a moment sooner than those of a new one. */
function lives(ttl: string, promised: string): boolean {
  const spent = Number(promised) - Number(ttl)
  return ttl === promised || (spent > 0 && spent < 10)
}

/** A memory store that records the keys. Several nodes may share it. */
function recordingKeys(noted: Map<string, Key>): Store {
  const memory = createMemoryStore()
  const keys = createRedisKeys('mcp:')
  // A key that is written again has the rest of its TTL: the first write has the longest.
  const note = (name: string, ttlSeconds: number, length = '') => {
    const ttl = String(Math.max(ttlSeconds, Number(noted.get(name)?.ttl ?? 0)))
    noted.set(name, { name, length, ttl })
  }
  return {
    ...memory,
    set(key, value, ttlSeconds) {
      note(keys.document(key), ttlSeconds)
      return memory.set(key, value, ttlSeconds)
    },
    create(key, value, ttlSeconds) {
      note(keys.document(key), ttlSeconds)
      return memory.create(key, value, ttlSeconds)
    },
    count(key, ttlSeconds, by) {
      note(keys.counter(key), ttlSeconds)
      return memory.count(key, ttlSeconds, by)
    },
    lock(key, ttlSeconds) {
      note(keys.lock(key)[0], ttlSeconds)
      return memory.lock(key, ttlSeconds)
    },
    streams: {
      ...memory.streams,
      append(key, value, options) {
        note(keys.stream(key), options.ttlSeconds, String(options.maxLength))
        return memory.streams.append(key, value, options)
      },
    },
    close: async () => undefined,
  }
}

/** Signs in on request, and listens to changes. */
async function signInWhileCalling(url: string): Promise<void> {
  const { client } = await connectClient(url, '2026-07-28', {
    async onUrl(link, message) {
      const [, code = ''] = /code: (\S+)/.exec(message) ?? []
      await signInAs(newBrowser(), { url: link, code }, 'ada')
      return 'accept'
    },
  })
  expect(await client.callTool({ name: 'service', arguments: {} })).not.toMatchObject({
    isError: true,
  })
  await client.close()
}

async function closeStreamAndAnnounce(url: string): Promise<void> {
  const client = new Client(
    { name: 'keys', version: '1' },
    { versionNegotiation: { mode: 'legacy' } },
  )
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)))
  await client.callTool({ name: 'test_reconnection', arguments: {} })
  await client.callTool({ name: 'test_trigger_tool_change', arguments: {} })
  await client.close()
}

/** Authorizes a client, which refreshes its token, and signs its session out. */
async function authorizeAndSignOut(url: string): Promise<void> {
  const client = await createOAuthClient(url)
  const { access_token: token, refresh_token: refreshToken } = await client.connect()
  expect((await client.refresh(refreshToken)).status).toBe(200)
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ method: 'tools/call', params: { name: 'logout' } })
  expect((await fetch(`${url}/http`, { method: 'POST', headers, body })).status).toBe(200)
  const other = await createOAuthClient(url)
  const { refresh_token: given } = await other.connect()
  expect((await other.revoke(given)).status).toBe(200)
}

/** Reads `/sse` on one node, and posts to another one. */
async function talkAcross(reading: string, writing: string): Promise<void> {
  const aborter = new AbortController()
  const { body } = await fetch(`${reading}/sse`, { signal: aborter.signal })
  const chunks = (body ?? expect.fail('no stream')).getReader()
  const { value } = await chunks.read()
  const [, path = ''] = /^data: (\S+)$/m.exec(new TextDecoder().decode(value)) ?? []
  const params = {
    protocolVersion: '2024-11-05',
    capabilities: {},
    clientInfo: { name: 'x', version: '1' },
  }
  const post = (message: object) =>
    fetch(writing + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    })
  for (const message of [
    { id: 1, method: 'initialize', params },
    { id: 2, method: 'tools/list' },
  ]) {
    expect((await post(message)).status).toBe(202)
    await chunks.read()
  }
  aborter.abort()
  await delay(50)
}

/**
 * Keys of other tests: for a token about to expire, for a client with a metadata document,
 * and for Redis only.
 */
const NOT_SEEN_HERE = new Set([
  'mcp:lock:{ses_…}:refresh',
  'mcp:client-document:{<hash>}',
  'mcp:client-keys:{<hash>}',
  'mcp:person:{<hash>}',
  'mcp:{ses_…}:credentials',
  'mcp:stream:person-clients:{<hash>}',
  'mcp:stream:person-tokens:{<hash>}',
  'mcp:stream:person-visits:{<hash>}',
  'mcp:lock:{ses_…}:make-token',
  'mcp:{access}:blocks',
  'mcp:{access}:audited:…',
  'mcp:oauth:ClientAssertionUse:<hash>',
  'mcp:oauth:IdentityAssertionUse:<hash>',
  'mcp:{upstream:<upstream>}:service',
  'mcp:{upstream:<upstream>}:service:failure',
  'mcp:lock:{upstream:<upstream>}:service:refresh',
  'mcp:count:client-document-fetches:{<hash>}',
  'mcp:fence:…',
  'mcp:{con_…}:answered:<hash>',
  'mcp:stream-bytes:…',
  'mcp:{nodes}:form',
])

describe('the keys in docs/scaling.md', () => {
  const noted = new Map<string, Key>()
  beforeAll(async () => {
    const store = recordingKeys(noted)
    const conformance = { store, env: ENVIRONMENT, catalogDirectory: join(ROOT, 'conformance') }
    const nodes = [
      await startApp({ store, env: ENVIRONMENT }),
      await startApp(conformance),
    ] as const
    await signInWhileCalling(nodes[0].url)
    await closeStreamAndAnnounce(nodes[1].url)
    await authorizeAndSignOut(nodes[0].url)
    await talkAcross(nodes[0].url, nodes[1].url)
    for (const node of nodes) await node.stop()
  })

  it('are all there are, with their lengths and lifetimes', () => {
    const own = [...noted.values()].filter(({ name }) => !/^mcp:demo/.test(name))
    const unknown = own.filter(
      ({ name, length, ttl }) =>
        !rows.some(
          (row) =>
            patternOf(row.key).test(name) &&
            row.length === length &&
            lives(ttl, secondsOf(row.ttl)),
        ),
    )
    expect(unknown).toEqual([])
  })

  it.each(rows.filter(({ key }) => !NOT_SEEN_HERE.has(key)))('are written: $key', ({ key }) => {
    expect([...noted.keys()].some((name) => patternOf(key).test(name))).toBe(true)
  })
})
