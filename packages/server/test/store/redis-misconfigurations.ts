/** Redis servers that answer PING and cannot serve requests, each for a different reason. */

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis.ts'
import { REDIS_PROGRAM } from '../support/redis-binaries.ts'
import { addSlots, SLOTS } from '../support/redis-cluster.ts'

export interface Misconfigured {
  /** The variables for the server. */
  readonly url: string
  stop(): Promise<void>
}

interface Misconfiguration {
  readonly reason: string
  readonly message: RegExp
  readonly open: () => Promise<Misconfigured>
}

type Admin = Awaited<ReturnType<typeof openAdmin>>

async function openAdmin(url: string) {
  const client = createClient({ url })
  client.on('error', () => undefined)
  return client.connect()
}

/** A server that is misconfigured after its start; `urlOf` changes its URL. */
function server(
  args: readonly string[],
  spoil: (admin: Admin) => Promise<unknown> = async () => undefined,
  urlOf = (url: string) => url,
) {
  return async (): Promise<Misconfigured> => {
    const redis = await startRedis('plain', args)
    const admin = await openAdmin(redis.url)
    await spoil(admin)
    admin.destroy()
    return { url: urlOf(redis.url), stop: () => redis.stop() }
  }
}

const asUser = (url: string) => url.replace('//', '//limited:secret@')
const user = (...rules: string[]) =>
  server(
    [],
    (admin) =>
      admin.sendCommand(['ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '+@all', ...rules]),
    asUser,
  )

/** Two masters, each with half of the slots. */
async function cluster(): Promise<Misconfigured> {
  const nodes = [await startRedis('plain', CLUSTER), await startRedis('plain', CLUSTER)] as const
  const [first, second] = [await openAdmin(nodes[0].url), await openAdmin(nodes[1].url)]
  await first.sendCommand([...addSlots(0, SLOTS / 2)])
  await second.sendCommand([...addSlots(SLOTS / 2, SLOTS)])
  const [, busPort = ''] =
    /@(\d+)/.exec(String(await second.sendCommand(['CLUSTER', 'NODES']))) ?? []
  await first.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(nodes[1].port), busPort])
  while (!String(await first.sendCommand(['CLUSTER', 'INFO'])).includes('cluster_state:ok')) {
    await sleep(50)
  }
  first.destroy()
  second.destroy()
  return {
    url: nodes[0].url,
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  }
}
const CLUSTER = ['--cluster-enabled', 'yes']

async function replica(isReadOnly: 'yes' | 'no'): Promise<Misconfigured> {
  const master = await startRedis('plain')
  const args = ['--replicaof', '127.0.0.1', String(master.port), '--replica-read-only', isReadOnly]
  const copy = await startRedis('plain', args)
  return {
    url: copy.url,
    stop: async () => {
      await copy.stop()
      await master.stop()
    },
  }
}

async function sentinel(): Promise<Misconfigured> {
  const master = await startRedis('plain')
  const directory = await mkdtemp(join(tmpdir(), 'redis-sentinel-'))
  const port = await freePort()
  const file = join(directory, 'sentinel.conf')
  const watched = `sentinel monitor main 127.0.0.1 ${master.port} 1`
  await writeFile(file, `port ${port}\nbind 127.0.0.1\ndir ${directory}\n${watched}\n`)
  const child = spawn(REDIS_PROGRAM, [file, '--sentinel'], { stdio: 'ignore' })
  const url = `redis://127.0.0.1:${port}`
  await (await openAdmin(url)).destroy()
  return {
    url,
    async stop() {
      child.kill('SIGKILL')
      await master.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const permission = (message: RegExp, ...rules: string[]): Misconfiguration => ({
  reason: 'no_permission',
  message,
  open: user(...rules),
})

export const MISCONFIGURATIONS: Readonly<Record<string, Misconfiguration>> = {
  'a user without scripts': permission(/EVALSHA.*\(NOPERM\).*\+eval \+evalsha/, '-@scripting'),
  'a user without EVAL and SCRIPT LOAD': permission(
    /EVAL to this user \(NOPERM\).*\+eval \+evalsha/,
    '-eval',
    '-script',
  ),
  'a user who may not write': permission(/SET to this user \(NOPERM\).*\+set/, '-@write'),
  'a user without streams': permission(/XRANGE.*\+xrange/, '-@stream'),
  'a user without XADD, which scripts use': permission(/XADD.*\+xadd/, '-xadd'),
  'a user without XREAD': permission(/XREAD.*\+xread/, '-xread'),
  'a user without PEXPIRE': permission(/PEXPIRE.*\+pexpire/, '-pexpire'),
  'a user without DEL': permission(/DEL.*\+del/, '-del'),
  'a user without TIME': permission(/TIME.*\+time/, '-time'),
  'a user without counters': permission(/INCRBY.*\+incrby/, '-incrby', '-incr'),
  ...Object.fromEntries(
    ['ping', 'mget', 'eval', 'exists', 'pttl', 'hget', 'hset', 'hincrby', 'xdel', 'getrange'].map(
      (name) => [
        `a user without ${name.toUpperCase()} alone`,
        permission(new RegExp(`${name.toUpperCase()} .*\\(NOPERM\\).*\\+${name}`), `-${name}`),
      ],
    ),
  ),
  'a user of other keys': permission(/keys.*STORE_PREFIX/, 'resetkeys', '~other:*'),
  'a wrong password': {
    reason: 'wrong_credentials',
    message: /user name or the password \(WRONGPASS\).*REDIS_P/,
    open: server(
      [],
      (admin) => admin.sendCommand(['ACL', 'SETUSER', 'limited', 'on', '>other', '~*', '+@all']),
      asUser,
    ),
  },
  'no password': {
    reason: 'wrong_credentials',
    message: /requires a password \(NOAUTH\).*REDIS_P/,
    open: server([], (admin) => admin.configSet('requirepass', 'secret')),
  },
  'a database that is not there': {
    reason: 'wrong_database',
    message: /no database of this number.*REDIS_DB/,
    open: server([], undefined, (url) => `${url}/99`),
  },
  'a node of a cluster': { reason: 'is_cluster', message: /Redis Cluster/, open: cluster },
  'a node of a cluster without slots': {
    reason: 'is_cluster',
    message: /Redis Cluster/,
    open: server(CLUSTER),
  },
  'a sentinel': { reason: 'is_sentinel', message: /Redis Sentinel.*master/, open: sentinel },
  'a replica': { reason: 'is_replica', message: /replica.*READONLY/, open: () => replica('yes') },
  'a replica that takes writes': {
    reason: 'is_replica',
    message: /replica/,
    open: () => replica('no'),
  },
  'no scripts': {
    reason: 'no_scripts',
    message: /runs no scripts/,
    open: server(['--rename-command', 'EVAL', '', '--rename-command', 'EVALSHA', '']),
  },
  'an old server': {
    reason: 'command_missing',
    message: /does not know the command XTRIM.*6\.2/,
    open: server(['--rename-command', 'XTRIM', '']),
  },
  'no memory left': {
    reason: 'full',
    message: /full \(OOM\).*maxmemory/,
    open: server([], (admin) => admin.configSet('maxmemory', '1')),
  },
  'too few replicas': {
    reason: 'too_few_replicas',
    message: /replicas.*\(NOREPLICAS\)/,
    open: server([], (admin) => admin.configSet('min-replicas-to-write', '1')),
  },
  'a disk that it cannot save to': {
    reason: 'not_saving',
    message: /cannot save.*\(MISCONF\)/,
    open: server([], async (admin) => {
      const { dir } = await admin.configGet('dir')
      await admin.configSet('save', '3600 1')
      await rm(String(dir), { recursive: true })
      await admin.sendCommand(['BGSAVE'])
      while (!(await admin.info('persistence')).includes('rdb_last_bgsave_status:err')) {
        await sleep(20)
      }
    }),
  },
}
