/** Runs once what requests ask of Redis, since permissions differ by command and by key. */

import { ErrorReply } from '@redis/client'
import { withDeadline } from './deadline.ts'
import type { RedisConnection } from './redis-connection.ts'
import { deadlineMissed } from './redis-errors.ts'
import type { RedisKeys } from './redis-keys.ts'
import { defineScript } from './redis-scripts.ts'
import { explainUnfit, IS_CLUSTER, IS_REPLICA, IS_SENTINEL, type Unfit } from './redis-unfit.ts'

export interface ProbeResult {
  /** Undefined when Redis takes what requests need. */
  readonly unfit: Unfit | undefined
  /** Set when Redis may delete keys for want of memory. */
  readonly evictionPolicy: string | undefined
}

type Command = readonly [name: string, ...args: string[]]

/** A command of a script, and how it fails where it is permitted: otherwise it would make a key. */
interface ScriptedCommand {
  readonly command: Command
  readonly fails?: string
}

/** So that a result is never older than 3 s where one is asked for every 2 s. */
const LONGEST_MS = 1000
const TTL_MS = '10000'
const NO_NUMBER = { value: 'x', fails: 'not an integer' }
/** A node of a cluster has a part of the slots: the odds that it has all of these are nil. */
const CLUSTER_KEYS = 100

/** Runs commands until one fails that should not: gives its name and the error. */
const RUN = defineScript(`
for _, probe in ipairs(cjson.decode(ARGV[1])) do
  local reply = redis.pcall(unpack(probe.command))
  local err = type(reply) == 'table' and reply.err
  if err and not (probe.fails and string.find(err, probe.fails, 1, true)) then
    return {probe.command[1], err}
  end
end
`)
/** Scripts come with EVAL once Redis has forgotten them. */
const EVAL: Command = ['EVAL', 'return 0', '0']

/**
 * All in one round trip. Every command that requests use is asked for, but for those that the store
 * can do without (SCRIPT LOAD, COMMAND INFO).
 * @param hasJson whether documents are kept by JSON commands
 */
export async function probeRedis(
  redis: RedisConnection,
  keys: RedisKeys,
  { timeoutMs, hasJson }: { readonly timeoutMs: number; readonly hasJson: boolean },
): Promise<ProbeResult> {
  const { plain, scripted, names } = commandsOf(keys, hasJson)
  const asked = Promise.all([
    settle(redis.command(['HELLO'])),
    settle(redis.command(['INFO', 'memory'])),
    ...plain.map((command) => settle(redis.command(command))),
    settle(redis.script(RUN, names, [JSON.stringify(scripted)])),
    settle(redis.command(EVAL)),
  ])
  try {
    const longestMs = Math.min(timeoutMs, LONGEST_MS)
    const [hello, memory, ...replies] = await withDeadline(asked, longestMs, deadlineMissed)
    // Proxies may not have it.
    const { mode, role } = Object(hello) as Record<string, unknown>
    const evictionPolicy = evictionPolicyOf(memory)
    if (mode === 'sentinel') return { unfit: IS_SENTINEL, evictionPolicy }
    if (role === 'replica' || role === 'slave') return { unfit: IS_REPLICA, evictionPolicy }
    const failure = firstFailure([...plain.map(([name]) => name), 'EVALSHA', 'EVAL'], replies)
    if (failure !== undefined) return { unfit: failure, evictionPolicy }
    const isPart = mode === 'cluster' && (await isPartOfCluster(redis, keys))
    return { unfit: isPart ? IS_CLUSTER : undefined, evictionPolicy }
  } catch (error) {
    return { unfit: explainUnfit(error), evictionPolicy: undefined }
  }
}

/**
 * Nothing is written: permissions, roles and memory are checked before it turns out that there is no
 * key to change. All keys lie in one slot, and no request uses them.
 */
function commandsOf({ document, counter, stream }: RedisKeys, hasJson: boolean) {
  const text = document('{health}')
  const count = counter('{health}')
  const entries = stream('{health}')
  const plain: Command[] = [
    ['SET', text, 'x', 'XX', 'PX', TTL_MS],
    ['PING'],
    ['GET', text],
    ['PEXPIRE', text, TTL_MS],
    ['XRANGE', entries, '-', '+', 'COUNT', '1'],
    ['XREVRANGE', entries, '+', '-', 'COUNT', '1'],
    ['XREAD', 'COUNT', '1', 'STREAMS', entries, '0-0'],
    ['XTRIM', entries, 'MAXLEN', '1'],
    ['TIME'],
    ...(hasJson
      ? ([
          ['JSON.GET', text],
          ['JSON.MGET', text, '.'],
        ] as const)
      : ([
          ['GETDEL', text],
          ['MGET', text],
        ] as const)),
    ['DEL', text],
  ]
  const { value: noNumber, fails } = NO_NUMBER
  const harmless: Command[] = [
    ['EXISTS', text],
    ['TIME'],
    ['SET', count, '0', 'XX', 'PX', TTL_MS],
    ['GET', count],
    ['PTTL', count],
    ['XADD', entries, 'NOMKSTREAM', 'MAXLEN', '~', '1', '*', 'value', ''],
    ['PEXPIRE', entries, TTL_MS],
    ...(hasJson ? jsonCommands(text) : [['GETRANGE', text, '0', '1'] as const]),
    ['XDEL', entries, '0-1'],
    ['HGET', entries, 'mark'],
    ['DEL', count],
  ]
  const scripted: ScriptedCommand[] = [
    ...harmless.map((command) => ({ command })),
    { command: ['INCRBY', count, noNumber], fails },
    { command: ['HINCRBY', entries, 'bytes', noNumber], fails },
    // A field without a value, which is found after the permission was checked.
    { command: ['HSET', entries, 'bytes', '0', 'mark'], fails: 'wrong number of arguments' },
  ]
  return { plain, scripted, names: [text, count, entries] }
}

function jsonCommands(key: string): Command[] {
  return [
    ['JSON.SET', key, '$', '{}', 'XX'],
    ['JSON.GET', key, '$.rev'],
    ['JSON.TYPE', key, '$.rev'],
    ['JSON.DEL', key, '$.rev'],
  ]
}

/** A reply, or what failed: one failure must not hide the replies of the others. */
class Failed {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

function settle(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => new Failed(error))
}

function firstFailure(names: readonly string[], replies: readonly unknown[]): Unfit | undefined {
  for (const [at, reply] of replies.entries()) {
    if (reply instanceof Failed) return explainUnfit(reply.error, names[at])
  }
  const refused = replies[names.indexOf('EVALSHA')] as [command: string, message: string] | null
  return refused ? explainUnfit(new ErrorReply(refused[1]), refused[0]) : undefined
}

/** Undefined as well where INFO is refused, which requests do not need. */
function evictionPolicyOf(memory: unknown): string | undefined {
  const limit = /^maxmemory:(\d+)/m.exec(String(memory))?.[1] ?? '0'
  const policy = /^maxmemory_policy:(\S+)/m.exec(String(memory))?.[1]
  return limit === '0' || policy === 'noeviction' ? undefined : policy
}

/** A cluster of a single node is as good as a server of its own. */
async function isPartOfCluster(redis: RedisConnection, keys: RedisKeys): Promise<boolean> {
  const names = Array.from({ length: CLUSTER_KEYS }, (_, index) => keys.document(`{${index}}`))
  const replies = await Promise.all(names.map((name) => settle(redis.command(['GET', name]))))
  return replies.some(
    (reply) => reply instanceof Failed && explainUnfit(reply.error).reason === 'is_cluster',
  )
}
