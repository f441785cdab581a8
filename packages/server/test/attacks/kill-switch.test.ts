/** The kill switch, `mcp-template access`, on three nodes and one Redis. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { callWith, makeToken, statusWith } from '../support/account.ts'
import { authorize, personsBrowser, signIn } from '../support/authorize-again.ts'
import { listen } from '../support/event-reader.ts'
import type { OAuthClient } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { COMMAND, copyProject } from '../support/project-copy.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { withToken } from '../support/token-app.ts'

// Each command is a process that loads the framework from its sources.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const { folder, remove } = copyProject()
afterAll(remove)

/** Runs the command as an operator does, beside the nodes. */
async function access(env: Readonly<Record<string, string>>, ...args: string[]) {
  const child = spawn(process.execPath, [...COMMAND, 'access', ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, NODE_ENV: 'test', ...env },
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (child.exitCode === null) await once(child, 'exit')
  return { status: child.exitCode, stdout, stderr }
}

/** Waits until a condition holds; returns the elapsed milliseconds. */
async function until(fits: () => Promise<boolean>): Promise<number> {
  const from = performance.now()
  while (!(await fits())) {
    if (performance.now() - from > 20_000) expect.fail('it took more than 20 seconds')
  }
  return performance.now() - from
}

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let client: OAuthClient
  let run: (...args: string[]) => ReturnType<typeof access>
  beforeAll(async () => {
    cluster = await startOAuthNodes({ PERSONAL_TOKEN_DAYS: '30' })
    client = await cluster.client()
    run = (...args) => access({ REDIS_URL: cluster.redis.url, STORE_TIMEOUT_MS: '5000' }, ...args)
  })
  afterAll(() => cluster?.stop())
  const lines = () => cluster.nodes.flatMap((node) => node.lines)
  const signedIn = async (person = 'ada') => {
    const browser = personsBrowser()
    const tokens = await authorize(client, browser, { params: { scope: 'mcp service:read' } })
    await signIn(cluster.urls[0], tokens, browser, person)
    return tokens.access_token
  }

  test('a blocked client is refused on every node, and served again after that', async () => {
    const token = await signedIn()
    const stream = await listen(`${cluster.urls[2]}/sse`, withToken(token))
    const blocked = await run('block', `client=${client.id}`, '--reason', 'it leaks', '--by', 'eve')
    expect([blocked.status, blocked.stdout]).toEqual([0, expect.stringContaining('Blocked')])
    for (const url of cluster.urls) {
      await until(async () => (await statusWith(url, token)) === 403)
      const { message } = await callWith(url, token, 'service')
      expect(message.error?.message).toContain('has blocked this client')
    }
    await stream.ended
    expect((await run('list')).stdout).toContain('by eve: it leaks')
    const audited = lines().filter((line) => line.includes('access blocked'))
    expect(audited).toHaveLength(1)
    expect(audited[0]).toContain('"reason":"it leaks"')
    expect(audited[0]).toContain('"by":"eve"')
    expect((await run('unblock', `client=${client.id}`, '--reason', 'fixed')).status).toBe(0)
    for (const url of cluster.urls) await until(async () => (await statusWith(url, token)) === 200)
    expect((await run('list')).stdout).toBe('Nothing is blocked.\n')
  })

  test('a blocked person is refused with every client and token; others are not', async () => {
    const [ada, grace] = [await signedIn('ada'), await signedIn('grace')]
    const { token } = await makeToken(cluster.url)
    await run('block', 'person=ada', '--reason', 'left the company')
    for (const url of cluster.urls) {
      await until(async () => (await statusWith(url, ada)) === 403)
      expect(await statusWith(url, token)).toBe(403)
      expect(await statusWith(url, grace)).toBe(200)
    }
    expect(lines().join('\n')).not.toContain('person=ada')
    await run('unblock', 'person=ada', '--reason', 'came back')
    for (const url of cluster.urls) await until(async () => (await statusWith(url, token)) === 200)
  })

  test('a blocked tool refuses everybody; others are served', async () => {
    const token = await signedIn()
    await run('block', 'tool=service', '--reason', 'the bank asked')
    for (const url of cluster.urls) {
      await until(async () => (await callWith(url, token, 'service')).isError)
      const { message } = await callWith(url, token, 'service')
      expect(JSON.stringify(message)).toContain('has blocked this tool')
      expect(JSON.stringify(message)).not.toContain('the bank asked')
      expect((await callWith(url, token, 'remember')).isError).toBe(false)
    }
    await run('unblock', 'tool=service', '--reason', 'done')
    await until(async () => !(await callWith(cluster.urls[1], token, 'service')).isError)
  })

  test('ended sessions are gone, with their refresh tokens and personal tokens', async () => {
    const browser = personsBrowser()
    const tokens = await authorize(client, browser)
    await signIn(cluster.urls[0], tokens, browser)
    const { token } = await makeToken(cluster.url)
    const ended = await run('end', 'person=ada', '--reason', 'stolen laptop')
    expect([ended.status, ended.stdout]).toEqual([0, expect.stringMatching(/Ended \d+ sessions/)])
    for (const url of cluster.urls) {
      expect(await statusWith(url, tokens.access_token)).toBe(401)
      expect(await statusWith(url, token)).toBe(401)
    }
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400)
    // The person may sign in again at once: nothing is blocked.
    expect(await statusWith(cluster.urls[1], await signedIn())).toBe(200)
  })

  test('a node that misses the message follows within a second', async () => {
    const token = await signedIn()
    const [node] = cluster.nodes
    // What the command writes, without its broadcast.
    const { createBlockEditor } = await import('../../src/session/blocks.ts')
    const editor = createBlockEditor({ store: node?.store ?? expect.fail() })
    expect(await statusWith(cluster.urls[0], token)).toBe(200)
    const entry = { kind: 'client', value: client.id } as const
    await editor.block({ ...entry, reason: 'r', by: 'b', at: 0 })
    const took: number[] = []
    for (const url of cluster.urls) {
      took.push(await until(async () => (await statusWith(url, token)) === 403))
    }
    process.stderr.write(`blocked without a message after ${took.map(Math.round).join(', ')} ms\n`)
    await editor.unblock(entry)
  })

  test.each([
    ['no reason', ['block', 'client=x'], '--reason'],
    ['an empty reason', ['block', 'client=x', '--reason', ' '], '--reason'],
    ['no target', ['block', '--reason', 'x'], 'client=ID'],
    ['another target', ['block', 'address=x', '--reason', 'x'], 'client=ID'],
    ['a tool to end', ['end', 'tool=service', '--reason', 'x'], 'Block it'],
    ['another order', ['erase', 'client=x', '--reason', 'x'], 'access list'],
  ])('%s is refused with an explanation', async (_what, args, words) => {
    const { status, stderr } = await run(...args)
    expect([status, stderr]).toEqual([1, expect.stringContaining(words)])
    expect(await run('list')).toEqual({ status: 0, stdout: 'Nothing is blocked.\n', stderr: '' })
  })

  test('an unavailable store changes nothing, and reports it', async () => {
    const env = { REDIS_URL: 'redis://127.0.0.1:1' }
    const { status, stderr } = await access(env, 'block', 'client=x', '--reason', 'x')
    expect([status, stderr]).toEqual([3, expect.stringContaining('store is unavailable')])
  })
})

test('the memory store is refused with an explanation', async () => {
  const { status, stderr } = await access({}, 'block', 'client=x', '--reason', 'x')
  expect([status, stderr]).toEqual([1, expect.stringContaining('REDIS_URL')])
})
