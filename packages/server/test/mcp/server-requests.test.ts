/**
 * Responses to requests of the server: only with ids issued for the MCP session, forwarded to live
 * nodes.
 */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import { createLogger } from '../../src/logger.ts'
import { createWireIds, ServerRequests } from '../../src/mcp/legacy/server-requests.ts'
import { type ClusterNode, joinCluster } from '../../src/mcp/nodes/cluster-node.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'

const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const log = createLogger({ level: 'silent', name: 'test', version: '0', destination: 'stderr' })
const ringOf = (...keys: Buffer[]) => createWireIds(createKeyRing(keys))
const reply = (id: string) => ({ jsonrpc: '2.0' as const, id, result: {} })

let store: Store
let node: ClusterNode
let serverRequests: ServerRequests
let dropped: string[]
let isFull: boolean
const inboxOf = (nodeId: string) => store.streams.read(`{nodes}:inbox:${nodeId}`, '0')

beforeEach(async () => {
  isFull = false
  dropped = []
  const memory = createMemoryStore()
  const append: Store['streams']['append'] = async (key, value, options) => {
    if (isFull) throw new Error('OOM')
    return memory.streams.append(key, value, options)
  }
  store = { ...memory, streams: { ...memory.streams, append } }
  node = await joinCluster({
    store,
    streams: store.streams,
    log,
    monotonicNow: () => performance.now(),
  })
  const metrics = { clientMessageDropped: (reason: string) => void dropped.push(reason) }
  serverRequests = new ServerRequests({ node, store, wireIds: ringOf(NEW, OLD), metrics })
})
afterEach(async () => {
  await node.close()
  await store.close()
})

/** Another node with a heartbeat. */
async function neighbour(): Promise<string> {
  await store.set('{nodes}:heartbeat:aaaaaaaaaaaa', {}, 60)
  return 'aaaaaaaaaaaa'
}

test.each([
  ['the current key', [NEW]],
  ['the key before it', [OLD]],
])('ids by %s are accepted', async (_which, keys) => {
  const other = await neighbour()
  await serverRequests.receiveResponse('con_x', reply(ringOf(...keys).issue('con_x', other, 1)))
  expect(await inboxOf(other)).toHaveLength(1)
  expect(dropped).toEqual([])
})

test('ids of another key, connection, node, number or form are not, and nothing is written', async () => {
  const other = await neighbour()
  const good = ringOf(NEW).issue('con_x', other, 1)
  const [, , mac = ''] = good.split('.')
  const forged = [
    ringOf(Buffer.alloc(32, 3)).issue('con_x', other, 1),
    ringOf(NEW).issue('con_y', other, 1),
    `bbbbbbbbbbbb.1.${mac}`,
    `${other}.2.${mac}`,
    `${other}.01.${mac}`,
    `${other}.1`,
    `${other}.1.${mac.slice(1)}`,
    `${good}=`,
    ` ${good}`,
    `${good}\n`,
    `${other}.1.${mac.slice(0, -1)}${mac.endsWith('A') ? 'E' : 'A'}`,
  ]
  for (const id of forged) {
    await serverRequests.receiveResponse('con_x', reply(id))
    const params = { progressToken: id, progress: 1 }
    const method = 'notifications/progress'
    await serverRequests.receiveProgress('con_x', { jsonrpc: '2.0', method, params })
  }
  expect(await inboxOf(other)).toEqual([])
  expect(await inboxOf('bbbbbbbbbbbb')).toEqual([])
  expect(dropped).toEqual(forged.flatMap(() => ['forged_id', 'forged_id']))
})

/** A response whose result must not be read. */
function unreadable(id: string) {
  const read = () => {
    throw new Error('the result was read')
  }
  return { jsonrpc: '2.0', id, result: new Proxy({}, { get: read, ownKeys: read, has: read }) }
}

test('a response is parsed only for a pending id', async () => {
  const id = serverRequests.expect('con_x', () => undefined)
  await expect(serverRequests.receiveResponse('con_x', unreadable(id))).rejects.toThrow(
    'the result was read',
  )
  await serverRequests.receiveResponse('con_y', unreadable(id))
  await serverRequests.receiveResponse('con_x', unreadable(`${id.slice(0, -1)}_`))
  serverRequests.forget(id)
  await serverRequests.receiveResponse('con_x', unreadable(id))
})

test.each([
  ['an invalid result', { result: 5 }],
  ['an invalid error', { error: { code: 'x' } }],
])('a response with %s to a pending id is refused', async (_what, more) => {
  const id = serverRequests.expect('con_x', () => expect.unreachable())
  const answer = { jsonrpc: '2.0', id, ...more }
  await expect(serverRequests.receiveResponse('con_x', answer)).rejects.toMatchObject({
    code: 'invalid_request',
  })
})

test('nothing is written for a node that has left', async () => {
  const id = ringOf(NEW).issue('con_x', 'cccccccccccc', 1)
  await serverRequests.receiveResponse('con_x', reply(id))
  const params = { progressToken: id, progress: 1 }
  await serverRequests.receiveProgress('con_x', {
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params,
  })
  expect(await inboxOf('cccccccccccc')).toEqual([])
  expect(dropped).toEqual(['node_gone', 'node_gone'])
})

test('a response is forwarded once, and again if the store refused it', async () => {
  const other = await neighbour()
  const answer = reply(ringOf(NEW).issue('con_x', other, 1))
  isFull = true
  await expect(serverRequests.receiveResponse('con_x', answer)).rejects.toThrow('OOM')
  isFull = false
  for (let count = 0; count < 3; count += 1) await serverRequests.receiveResponse('con_x', answer)
  expect(await inboxOf(other)).toHaveLength(1)
  expect(dropped).toEqual(['repeated_answer', 'repeated_answer'])
})

test('no node gets more than 8 KiB', async () => {
  const long = 'x'.repeat(8 * 1024)
  const sent = node.send('aaaaaaaaaaaa', { kind: 'news', stream: long })
  await expect(sent).rejects.toThrow(RangeError)
  const control = node.broadcast({ kind: 'connection_ended', connectionId: long })
  await expect(control).rejects.toThrow(RangeError)
  await expect(node.publish({ kind: 'resource_updated', uri: long })).rejects.toThrow(RangeError)
})
