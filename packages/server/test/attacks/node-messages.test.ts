/** Messages between nodes: clients cannot forge them, and they use little of Redis. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type Listening, listenTo, responseTo, withMethod } from '../support/event-reader.ts'
import type { RedisServer } from '../support/redis.ts'
import { openRedisAdmin, type RedisAdmin } from '../support/redis-admin.ts'
import { startSuiteRedis } from '../support/redis-of-suite.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { scrape } from '../support/scrape.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { CLUSTER_CATALOG } from '../support/three-nodes.ts'
import { connect, post, read, request } from '../support/wire.ts'

const KIB = 1024
const MIB = KIB * KIB
/** Just below the limit of a body. */
const LARGE = 'r'.repeat(MIB - 2 * KIB)
const TIMES = 48

type Headers = Readonly<Record<string, string>>

describeRedis('plain', 'messages between nodes', () => {
  let redis: RedisServer
  let [asked, other]: TestApp[] = []
  let [a, b] = ['', '']
  let admin: RedisAdmin
  const open: Listening[] = []

  beforeAll(async () => {
    redis = await startSuiteRedis('plain')
    admin = await openRedisAdmin(redis)
    const options = { catalogDirectory: CLUSTER_CATALOG, env: { REDIS_URL: redis.url } }
    ;[asked, other] = [await startApp(options), await startApp(options)]
    ;[a, b] = [asked.url, other.url]
  })
  afterEach(() => {
    for (const stream of open.splice(0)) stream.close()
  })
  afterAll(async () => {
    await asked?.stop()
    await other?.stop()
    admin?.destroy()
    await redis?.stop()
  })

  async function redisBytes(): Promise<number> {
    const keys = await admin.keys('*')
    const sizes = await Promise.all(
      keys.map((key) => admin.at(key, (one) => one.memoryUsage(key, { SAMPLES: 0 }))),
    )
    return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
  }

  const dropped = async (reason: string) =>
    (await scrape(b)).sum('mcp_client_messages_dropped_total', { reason })

  const askCall = (id: string) =>
    request('tools/call', { name: 'ask', arguments: { kinds: ['form'] } }, id)

  /** Calls a tool that asks, at one node; returns the id of its request to the client. */
  async function question(headers: Headers, id = 'call') {
    const stream = await listenTo((signal) => post(a, askCall(id), headers, signal))
    open.push(stream)
    const { message } = await stream.until(withMethod('elicitation/create'))
    return { stream, wireId: String(message?.id) }
  }

  const reply = (id: unknown, name: string) => ({
    jsonrpc: '2.0',
    id,
    result: { action: 'accept', content: { name } },
  })
  const notification = (method: string, params: object) => ({
    jsonrpc: '2.0',
    method: `notifications/${method}`,
    params,
  })

  const UNKNOWN = '0123456789ab.7'
  const forged = (nodeId: string, id: string) => ({
    cancel: notification('cancelled', { requestId: 'nothing', reason: LARGE }),
    'cancel by a long id': notification('cancelled', { requestId: LARGE }),
    'cancel with a reason that is a list': notification('cancelled', {
      ...{ requestId: 'nothing', reason: [LARGE] },
    }),
    answer: { ...reply(UNKNOWN, LARGE) },
    'answer for a running node': reply(`${nodeId}.1`, LARGE),
    'answer with a code made up': reply(`${nodeId}.1.${'A'.repeat(16)}`, LARGE),
    'answer by an id of another connection': reply(id, LARGE),
    'answer with a long id': reply(LARGE, ''),
    error: { jsonrpc: '2.0', id: UNKNOWN, error: { code: -1, message: LARGE } },
    progress: notification('progress', { progressToken: UNKNOWN, progress: 1, message: LARGE }),
    'progress by an id of another connection': notification('progress', {
      ...{ progressToken: id, progress: 1, message: LARGE },
    }),
    'progress by a long token': notification('progress', { progressToken: LARGE, progress: 1 }),
    'progress by a list': notification('progress', { progressToken: [id], message: LARGE }),
    initialized: notification('initialized', { text: LARGE }),
  })

  const KINDS = Object.keys(forged('', ''))

  test.each(KINDS)('48 forged messages of 1 MB leave almost nothing in Redis: %s', async (kind) => {
    const owner = await connect(a, { elicitation: {} })
    const { wireId } = await question(owner)
    const message = forged(wireId.split('.')[0] ?? '', wireId)[kind as 'cancel']
    const stranger = await connect(b)
    const before = await redisBytes()
    for (let count = 0; count < TIMES; count += 1) {
      const { status } = await post(b, message, stranger)
      // An earlier check may refuse the size, too.
      expect([202, 400, 413]).toContain(status)
    }
    expect((await redisBytes()) - before).toBeLessThan(64 * KIB)
  })

  test.each(KINDS)('the same over the older transport: %s', async (kind) => {
    const owner = await connect(a, { elicitation: {} })
    const { wireId } = await question(owner)
    const message = forged(wireId.split('.')[0] ?? '', wireId)[kind as 'cancel']
    const stream = await openSse(a)
    open.push(stream)
    const { path } = await initializeSse(stream, [b])
    const before = await redisBytes()
    for (let count = 0; count < TIMES; count += 1) {
      expect([202, 400, 413]).toContain((await sendSse(b, path, message)).status)
    }
    expect((await redisBytes()) - before).toBeLessThan(64 * KIB)
  })

  test('forged ids are counted', async () => {
    const before = await dropped('forged_id')
    await post(b, reply(UNKNOWN, ''), await connect(b))
    expect(await dropped('forged_id')).toBe(before + 1)
  })

  test('any number of cancellations leaves a bounded number of entries', async () => {
    const headers = await connect(a)
    const before = await redisBytes()
    const flood = Array.from({ length: 400 }, async (_, index) => {
      const params = { requestId: `${index}`.padEnd(256, 'i'), reason: LARGE.slice(0, 2000) }
      await post(b, notification('cancelled', params), headers)
    })
    await Promise.all(flood)
    expect((await redisBytes()) - before).toBeLessThan(256 * KIB)
    expect(await dropped('frequent_cancel')).toBeGreaterThan(0)
  })

  test('an answer through another node counts once', async () => {
    const headers = await connect(a, { elicitation: {} })
    const { stream, wireId } = await question(headers)
    const repeated = await dropped('repeated_answer')
    expect((await post(b, reply(wireId, 'first'), headers)).status).toBe(202)
    const { message } = await stream.until(responseTo('call'))
    expect(JSON.stringify(message?.result)).toContain('first')
    const before = await redisBytes()
    for (let count = 0; count < TIMES; count += 1) {
      expect((await post(b, reply(wireId, 'n'.repeat(200 * KIB)), headers)).status).toBe(202)
    }
    expect((await redisBytes()) - before).toBeLessThan(64 * KIB)
    expect(await dropped('repeated_answer')).toBe(repeated + TIMES)
  })

  test('an answer of 256 KiB arrives; one that is larger is 413, and the call ends', async () => {
    const headers = await connect(a, { elicitation: {} })
    const fits = await question(headers, 'fits')
    const empty = Buffer.byteLength(JSON.stringify(reply(fits.wireId, '')))
    const name = 'n'.repeat(256 * KIB - empty)
    expect((await post(b, reply(fits.wireId, name), headers)).status).toBe(202)
    const { message } = await fits.stream.until(responseTo('fits'))
    expect(JSON.stringify(message?.result)).toContain(name)
    for (const url of [a, b]) {
      const exceeds = await question(headers, 'exceeds')
      // Ids have another length each time.
      const id = exceeds.wireId
      const more = 'n'.repeat(256 * KIB - Buffer.byteLength(JSON.stringify(reply(id, ''))) + 1)
      const refused = await read(post(url, reply(id, more), headers))
      expect([refused.status, refused.message.error?.code]).toEqual([413, -32000])
      const ended = await exceeds.stream.until(responseTo('exceeds'))
      expect(JSON.stringify(ended.message)).toMatch(/isError|error/)
    }
  })

  test('an inbox is empty once it was read', async () => {
    const headers = await connect(a, { elicitation: {} })
    const { stream, wireId } = await question(headers)
    await post(b, reply(wireId, 'n'.repeat(200 * KIB)), headers)
    await stream.until(responseTo('call'))
    const inbox = `mcp:stream:{nodes}:inbox:${wireId.split('.')[0]}`
    expect(await admin.at(inbox, (one) => one.exists(inbox))).toBe(1)
    await expect.poll(() => admin.at(inbox, (one) => one.xLen(inbox))).toBe(0)
    expect(await admin.at(inbox, (one) => one.ttl(inbox))).toBeLessThanOrEqual(60)
    // And is used again afterwards.
    const second = await question(headers, 'second')
    await post(b, reply(second.wireId, 'second'), headers)
    await second.stream.until(responseTo('second'))
  })

  test('progress is forwarded once a second, with the permitted fields only', async () => {
    const headers = await connect(a, { elicitation: {} })
    const { wireId } = await question(headers)
    const params = {
      progressToken: wireId,
      progress: 1,
      message: 'long'.repeat(100),
      more: 'x'.repeat(10 * KIB),
    }
    const before = await redisBytes()
    const frequent = await dropped('frequent_progress')
    for (let count = 0; count < TIMES; count += 1) {
      const { status } = await post(b, notification('progress', params), headers)
      expect([202, 400, 413]).toContain(status)
    }
    expect((await redisBytes()) - before).toBeLessThan(64 * KIB)
    expect(await dropped('frequent_progress')).toBeGreaterThan(frequent)
  })
})
