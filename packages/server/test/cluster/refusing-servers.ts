/** Conditions in which Redis servers refuse commands, each with its cause and its cure. */

import { mkdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { expect } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { redisMajor } from '../support/redis-binaries.ts'

export type Topology = 'single' | 'sentinel' | 'cluster'
export type Admin = Awaited<ReturnType<typeof openAdmin>>

interface Condition {
  /** What readiness says. */
  readonly says: RegExp
  /** Whether reads succeed. */
  readonly isReadable?: boolean
  readonly on?: readonly Topology[]
  /** Causes it at one master. */
  readonly cause: (admin: Admin) => Promise<unknown>
  readonly cure: (admin: Admin) => Promise<unknown>
}

const set = (name: string, value: string) => (admin: Admin) =>
  admin.sendCommand(['CONFIG', 'SET', name, value])
const user = (...rules: readonly string[]) => ['ACL', 'SETUSER', 'mcp', ...rules]
const DROP = ['CLIENT', 'KILL', 'USER', 'mcp']
/** They load for a minute, which the cure ends. */
const KEYS = '3000'
const MICROSECONDS_EACH = '20000'
/** For the servers. */
export const DEBUG = redisMajor() < 7 ? [] : ['--enable-debug-command', 'yes']
const MASTER_LOST = ['REPLICAOF', '127.0.0.1']

export const CONDITIONS: Readonly<Record<string, Condition>> = {
  'LOADING: the server reads its data': {
    says: /loading its data \(LOADING\)/,
    // Redis 6 replies too rarely while it loads.
    ...(redisMajor() < 7 && { on: [] }),
    async cause(admin) {
      await admin.sendCommand(['DEBUG', 'POPULATE', KEYS, 'filler'])
      await set('loading-process-events-interval-bytes', '1024')(admin)
      await set('key-load-delay', MICROSECONDS_EACH)(admin)
      reloading(admin)
      await delay(500)
    },
    cure: set('key-load-delay', '0'),
  },
  'BUSY: a script does not end': {
    says: /busy with a script \(BUSY\)/,
    async cause(admin) {
      await set('lua-time-limit', '50')(admin)
      runEndlessScript(admin)
      await delay(500)
    },
    cure: (admin) => admin.sendCommand(['SCRIPT', 'KILL']),
  },
  'OOM: the memory is used up': {
    ...{ says: /full \(OOM\)/, isReadable: true },
    cause: set('maxmemory', '1'),
    cure: set('maxmemory', '0'),
  },
  'MISCONF: the data cannot be saved': {
    ...{ says: /cannot save to its disk \(MISCONF\)/, isReadable: true },
    async cause(admin) {
      await set('save', '3600 1')(admin)
      const dump = await dumpOf(admin)
      await rm(dump, { force: true })
      await mkdir(dump)
      await saved(admin, 'err')
    },
    async cure(admin) {
      await rmdir(await dumpOf(admin))
      await saved(admin, 'ok')
      await set('save', '')(admin)
    },
  },
  'NOREPLICAS: too few replicas': {
    ...{ says: /too few of its replicas are connected \(NOREPLICAS\)/, isReadable: true },
    cause: set('min-replicas-to-write', '9'),
    cure: set('min-replicas-to-write', '0'),
  },
  'NOPERM: the user may run nothing': {
    says: /to this user \(NOPERM\)/,
    cause: (admin) => admin.sendCommand(user('-@all')),
    cure: (admin) => admin.sendCommand(user('+@all')),
  },
  'WRONGPASS: the user has another password': {
    says: /user name or the password \(WRONGPASS\)/,
    async cause(admin) {
      await admin.sendCommand(user('resetpass', '>other'))
      await admin.sendCommand(DROP)
    },
    cure: (admin) => admin.sendCommand(user('resetpass', '>secret')),
  },
  'no connection is left (max number of clients)': {
    says: /connection limit.*maxclients/,
    async cause(admin) {
      await set('maxclients', '1')(admin)
      await admin.sendCommand(DROP)
    },
    cure: set('maxclients', '10000'),
  },
  'READONLY: the server became a replica': {
    ...{ says: /replica.*\(READONLY\)/, on: ['single'], isReadable: true },
    cause: async (admin) => admin.sendCommand([...MASTER_LOST, String(await freePort())]),
    cure: (admin) => admin.sendCommand(['REPLICAOF', 'NO', 'ONE']),
  },
  'MASTERDOWN: a replica without its master': {
    ...{ says: /replica/, on: ['single'] },
    async cause(admin) {
      await set('replica-serve-stale-data', 'no')(admin)
      await admin.sendCommand([...MASTER_LOST, String(await freePort())])
    },
    cure: (admin) => admin.sendCommand(['REPLICAOF', 'NO', 'ONE']),
  },
}

export async function openAdmin(url: string) {
  const client = createClient({ url, socket: { reconnectStrategy: 100 } })
  client.on('error', () => undefined)
  return client.connect()
}

/** On another connection: the server replies when it has loaded its data. */
function reloading(admin: Admin): void {
  const other = admin.duplicate()
  other.on('error', () => undefined)
  const reload = other.connect().then(() => other.sendCommand(['DEBUG', 'RELOAD']))
  reload.catch(() => undefined).finally(() => other.destroy())
}

function runEndlessScript(admin: Admin): void {
  const other = admin.duplicate()
  other.on('error', () => undefined)
  const running = other.connect().then(() => other.sendCommand(['EVAL', 'while true do end', '0']))
  running.catch(() => undefined).finally(() => other.destroy())
}

/** A folder in place of this file cannot be overwritten. */
async function dumpOf(admin: Admin): Promise<string> {
  return join(String((await admin.configGet('dir')).dir), 'dump.rdb')
}

async function saved(admin: Admin, status: 'ok' | 'err'): Promise<void> {
  await admin.sendCommand(['BGSAVE'])
  const info = () => admin.info('persistence')
  await expect.poll(info).toContain(`rdb_last_bgsave_status:${status}`)
}
