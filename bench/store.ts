/**
 * Prints the CPU time of this process per command to the store: one Redis, Sentinels, a Redis Cluster,
 * in turns in one run. Ratios are of pairs that were measured one after the other.
 */

import type { Store } from '../packages/server/src/store/index.ts'
import { connectedStore } from '../packages/server/test/store/redis-stores.ts'
import { startRedis } from '../packages/server/test/support/redis.ts'
import { startRedisCluster } from '../packages/server/test/support/redis-cluster.ts'
import { startRedisSentinels } from '../packages/server/test/support/redis-sentinels.ts'
import { median, shuffled } from './statistics.ts'

const ROUNDS = Number(process.argv[2] ?? 25)
const COMMANDS = 6000
const IN_FLIGHT = 64
const KEYS = Array.from({ length: 500 }, (_, number) => `{ses_${number}}:bench`)
const TTL_SECONDS = 600

type Work = (store: Store, key: string, number: number) => Promise<unknown>

/** The most frequent commands: reads of one document and of several of a session, and a script. */
const WORKS: Readonly<Record<string, Work>> = {
  'get (MGET of what is asked in one tick)': (store, key) => store.get(key),
  'touch (PEXPIRE)': (store, key) => store.touch(key, TTL_SECONDS),
  'patch (EVALSHA)': (store, key, number) =>
    store.patch(key, { number }, { ttlSeconds: TTL_SECONDS }),
}

const [single, sentinels, cluster] = await Promise.all([
  startRedis('plain', ['--appendonly', 'no']),
  startRedisSentinels(),
  startRedisCluster(),
])
const servers = { single, sentinels, cluster }
const stores = await Promise.all(
  Object.entries(servers).map(async ([name, { url }]) => {
    const store = await connectedStore(url, { timeoutMs: 20_000 })
    for (const key of KEYS) await store.set(key, { number: 0, text: 'x'.repeat(300) }, TTL_SECONDS)
    return { name, store }
  }),
)

try {
  console.log(`CPU time per command in µs: medians of ${ROUNDS} rounds of ${COMMANDS} commands`)
  for (const [what, work] of Object.entries(WORKS)) await compare(what, work)
} finally {
  await Promise.all(stores.map(({ store }) => store.close()))
  await Promise.all(Object.values(servers).map((server) => server.stop()))
}

async function compare(what: string, work: Work): Promise<void> {
  const samples = new Map(stores.map(({ name }) => [name, [] as number[]]))
  for (let round = -3; round < ROUNDS; round += 1) {
    for (const { name, store } of shuffled(stores)) {
      const micros = await measure(store, work)
      // The first rounds include compilation.
      if (round >= 0) samples.get(name)?.push(micros)
    }
  }
  const base = samples.get('single') ?? []
  console.log(`\n${what}`)
  for (const [name, values] of samples) {
    const ratio = median(values.map((value, round) => value / (base[round] ?? Number.NaN)))
    console.log(`  ${name.padEnd(10)} ${median(values).toFixed(2)}  × ${ratio.toFixed(2)}`)
  }
}

/** CPU time of a command in microseconds. */
async function measure(store: Store, work: Work): Promise<number> {
  let sent = 0
  const before = process.cpuUsage()
  const send = async () => {
    for (; sent < COMMANDS; ) {
      const number = sent
      sent += 1
      await work(store, KEYS[number % KEYS.length] ?? '', number)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, send))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / COMMANDS
}
