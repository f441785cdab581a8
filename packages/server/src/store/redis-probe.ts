/** Probes Redis with the commands that requests use, since permissions differ by command and key. */

import { ErrorReply } from '@redis/client'
import { withDeadline } from './command-deadline.ts'
import type { RedisConnection } from './redis-connection.ts'
import { deadlineMissed } from './redis-errors.ts'
import { readHello } from './redis-hello.ts'
import type { RedisKeys } from './redis-keys.ts'
import { defineScript } from './redis-scripts.ts'
import {
  CLUSTER_DOWN,
  explainUnfit,
  IS_CLUSTER,
  IS_REPLICA,
  IS_SENTINEL,
  type Unfit,
} from './redis-unfit.ts'

export interface ProbeResult {
  /** Undefined when Redis accepts the commands that requests need. */
  readonly unfit: Unfit | undefined
  /** Set when Redis may evict keys. */
  readonly evictionPolicy: string | undefined
  /** Set when a cluster node refuses ASKING, which requests need only while slots migrate. */
  readonly refusesAsking?: Unfit | undefined
}

type Command = readonly [name: string, ...args: string[]]

/** A command of a script, and the error it gives where permitted, so that no key is created. */
interface ScriptedCommand {
  readonly command: Command
  readonly fails?: string
}

export interface ProbeOptions {
  readonly timeoutMs: number
  /** Whether documents use JSON commands. */
  readonly hasJson: boolean
  /** The hash tag of all keys. */
  readonly tag: string
  /** Whether keys of other tags are sent to other servers. */
  readonly isRouted: boolean
}

/** Keeps a result younger than 3 s with a probe every 2 s. */
const LONGEST_MS = 1000
const TTL_MS = '10000'
const NO_NUMBER = { value: 'x', fails: 'not an integer' }
/** A cluster node owns some of the slots; that it owns all of these is practically impossible. */
const CLUSTER_KEYS = 100

/** Runs commands until one fails unexpectedly; returns its name and the error. */
const RUN = defineScript(`
for _, probe in ipairs(cjson.decode(ARGV[1])) do
  local reply = redis.pcall(unpack(probe.command))
  local err = type(reply) == 'table' and reply.err
  if err and not (probe.fails and string.find(err, probe.fails, 1, true)) then
    return {probe.command[1], err}
  end
end
`)
/** Scripts are sent with EVAL after Redis has dropped them from its cache. */
const EVAL: Command = ['EVAL', 'return 0', '0']

/**
 * One round trip with every command that requests use, except those the store can do without
 * (SCRIPT LOAD, COMMAND INFO).
 */
export async function probeRedis(
  redis: RedisConnection,
  keys: RedisKeys,
  { timeoutMs, hasJson, tag, isRouted }: ProbeOptions,
): Promise<ProbeResult> {
  const { plain, scripted, names } = commandsOf(keys, { hasJson, tag })
  const asked = Promise.all([
    settle(redis.command(['HELLO'])),
    settle(redis.command(['INFO', 'memory'])),
    // It has no effect on keys of this server.
    isRouted ? settle(redis.command(['ASKING'])) : undefined,
    ...plain.map((command) => settle(redis.command(command))),
    settle(redis.script(RUN, names, [JSON.stringify(scripted)])),
    settle(redis.command(EVAL)),
  ])
  try {
    const longestMs = Math.min(timeoutMs, LONGEST_MS)
    const [hello, memory, asking, ...replies] = await withDeadline(asked, longestMs, deadlineMissed)
    const { mode, isReplica } = readHello(hello)
    const evictionPolicy = evictionPolicyOf(memory)
    if (mode === 'sentinel') return { unfit: IS_SENTINEL, evictionPolicy }
    if (isReplica) return { unfit: IS_REPLICA, evictionPolicy }
    const failure = firstFailure([...plain.map(([name]) => name), 'EVALSHA', 'EVAL'], replies)
    if (failure !== undefined) {
      const isPart = isRouted && failure.reason === IS_CLUSTER.reason
      return { unfit: isPart ? CLUSTER_DOWN : failure, evictionPolicy }
    }
    const isPart = mode === 'cluster' && !isRouted && (await isPartOfCluster(redis, keys))
    const refusesAsking =
      asking instanceof Failed ? explainUnfit(asking.error, 'ASKING') : undefined
    return { unfit: isPart ? IS_CLUSTER : undefined, evictionPolicy, refusesAsking }
  } catch (error) {
    return { unfit: explainUnfit(error), evictionPolicy: undefined }
  }
}

/**
 * Writes nothing: Redis checks permissions, role and memory before it finds that the key is absent.
 * All keys are in one slot, and no request uses them.
 */
function commandsOf(
  { document, counter, stream }: RedisKeys,
  { hasJson, tag }: Pick<ProbeOptions, 'hasJson' | 'tag'>,
) {
  const keys = { text: document(tag), count: counter(tag), entries: stream(tag) }
  return {
    plain: plainCommands(keys, hasJson),
    scripted: scriptedCommands(keys, hasJson),
    names: [keys.text, keys.count, keys.entries],
  }
}

interface ProbeKeys {
  readonly text: string
  readonly count: string
  readonly entries: string
}

/** The commands that requests send on their own. */
function plainCommands({ text, entries }: ProbeKeys, hasJson: boolean): Command[] {
  return [
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
}

/** The commands of the scripts that requests run. */
function scriptedCommands(
  { text, count, entries }: ProbeKeys,
  hasJson: boolean,
): ScriptedCommand[] {
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
  return [
    ...harmless.map((command) => ({ command })),
    { command: ['INCRBY', count, noNumber], fails },
    { command: ['HINCRBY', entries, 'bytes', noNumber], fails },
    // A field without a value: a syntax error that Redis finds after checking the permission.
    { command: ['HSET', entries, 'bytes', '0', 'mark'], fails: 'wrong number of arguments' },
  ]
}

function jsonCommands(key: string): Command[] {
  return [
    ['JSON.SET', key, '$', '{}', 'XX'],
    ['JSON.GET', key, '$.rev'],
    ['JSON.TYPE', key, '$.rev'],
    ['JSON.DEL', key, '$.rev'],
  ]
}

/** A reply or an error: one failure must not hide the other replies. */
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

/** Also undefined where INFO is denied, which requests do not need. */
function evictionPolicyOf(memory: unknown): string | undefined {
  const limit = /^maxmemory:(\d+)/m.exec(String(memory))?.[1] ?? '0'
  const policy = /^maxmemory_policy:(\S+)/m.exec(String(memory))?.[1]
  return limit === '0' || policy === 'noeviction' ? undefined : policy
}

/** A cluster of one node serves all slots, like a single server. */
async function isPartOfCluster(redis: RedisConnection, keys: RedisKeys): Promise<boolean> {
  const names = Array.from({ length: CLUSTER_KEYS }, (_, index) => keys.document(`{${index}}`))
  const replies = await Promise.all(names.map((name) => settle(redis.command(['GET', name]))))
  return replies.some(
    (reply) => reply instanceof Failed && explainUnfit(reply.error).reason === 'is_cluster',
  )
}
