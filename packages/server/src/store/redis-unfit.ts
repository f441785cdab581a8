/** Why Redis cannot serve requests, for operators; contains no host and no secret. */

import { ErrorReply } from '@redis/client'
import { AppError } from '../errors.ts'
import { isCommandMissing, isNotPermitted, isTimeout } from './redis-errors.ts'
import { PasswordFileError } from './redis-password-file.ts'

export type UnfitReason =
  | 'no_permission'
  | 'wrong_credentials'
  | 'wrong_database'
  | 'is_cluster'
  | 'is_sentinel'
  | 'is_replica'
  | 'not_cluster'
  | 'not_sentinel'
  | 'unknown_master'
  | 'cluster_down'
  | 'no_scripts'
  | 'command_missing'
  | 'full'
  | 'loading'
  | 'not_saving'
  | 'too_few_replicas'
  | 'busy'
  | 'evicts_keys'
  | 'over_quota'
  | 'unexpected_error'
  | 'unreachable'

export interface Unfit {
  readonly reason: UnfitReason
  /** The fault and its fix. Contains no secrets. */
  readonly detail: string
}

export const IS_SENTINEL: Unfit = {
  reason: 'is_sentinel',
  detail:
    'This is a Redis Sentinel, which holds no data: set REDIS_URL to redis+sentinel://HOST,HOST/NAME with the Sentinels and the name of their master, or REDIS_MODE=sentinel and REDIS_SENTINEL_NAME.',
}
export const IS_CLUSTER: Unfit = {
  reason: 'is_cluster',
  detail:
    'This is a node of a Redis Cluster: set REDIS_URL to redis+cluster://HOST,HOST with some of its nodes, or REDIS_MODE=cluster.',
}
export const CLUSTER_DOWN: Unfit = {
  reason: 'cluster_down',
  detail:
    'The Redis Cluster does not serve the keys of this shard (CLUSTERDOWN): a failover is in progress, or hash slots have no master. redis-cli --cluster check shows which; cluster-require-full-coverage no keeps the other shards in service.',
}
export const IS_REPLICA: Unfit = {
  reason: 'is_replica',
  detail:
    'This is a Redis replica, which refuses writes (READONLY): set REDIS_URL to the address of its master, or to one that follows the master.',
}

/** Why no server of a topology is known. */
const BY_DISCOVERY: readonly (readonly [pattern: RegExp, reason: UnfitReason, detail: string])[] = [
  [
    /cluster support disabled|unknown command .?cluster/i,
    'not_cluster',
    'This Redis is not a Redis Cluster (cluster-enabled no): set REDIS_URL to redis://HOST, or REDIS_MODE=single.',
  ],
  [
    /unknown command .?sentinel/i,
    'not_sentinel',
    'This Redis is not a Sentinel: set REDIS_URL to redis://HOST, or name the Sentinels in it, at port 26379 by default.',
  ],
  [
    /^Sentinel refuses the credentials/,
    'wrong_credentials',
    'The Sentinels require a password, or refuse the configured one: check REDIS_SENTINEL_USERNAME, and REDIS_SENTINEL_P or REDIS_SENTINEL_PASSWORD_FILE. REDIS_USERNAME and REDIS_P are for the master.',
  ],
  [
    /No such master/,
    'unknown_master',
    'The Sentinels know no master of this name: check the name in REDIS_URL, or REDIS_SENTINEL_NAME.',
  ],
  [
    /(?:^|-)READONLY\b/,
    'unreachable',
    'The server that the Sentinels name as the master is still a replica: a failover is in progress.',
  ],
]

/** Checked in this order. */
const BY_MESSAGE: readonly (readonly [pattern: RegExp, reason: UnfitReason, detail: string])[] = [
  [
    /SELECT is not allowed in cluster mode|(?:^|-)(?:MOVED|ASK|CROSSSLOT|CLUSTERDOWN|TRYAGAIN)\b/,
    IS_CLUSTER.reason,
    IS_CLUSTER.detail,
  ],
  [/(?:^|-)READONLY\b/, IS_REPLICA.reason, IS_REPLICA.detail],
  [
    /(?:^|-)MASTERDOWN\b/,
    'is_replica',
    'This is a Redis replica that lost its master (MASTERDOWN): set REDIS_URL to the address of the master.',
  ],
  [
    /(?:^|-)OOM\b/,
    'full',
    'Redis is full (OOM): raise its maxmemory. Leave maxmemory-policy at noeviction, since evicted keys are lost sessions.',
  ],
  [/(?:^|-)LOADING\b/, 'loading', 'Redis is loading its data (LOADING): wait until it is done.'],
  [
    /(?:^|-)MISCONF\b/,
    'not_saving',
    'Redis refuses writes because it cannot save to its disk (MISCONF): free disk space; its log has the cause.',
  ],
  [
    /(?:^|-)NOREPLICAS\b/,
    'too_few_replicas',
    'Redis refuses writes because too few of its replicas are connected (NOREPLICAS): reconnect them, or lower min-replicas-to-write.',
  ],
  [/(?:^|-)BUSY\b/, 'busy', 'Redis is busy with a script (BUSY): SCRIPT KILL ends it.'],
  [
    /(?:^|-)NOAUTH\b/,
    'wrong_credentials',
    'Redis requires a password (NOAUTH): set REDIS_P or REDIS_PASSWORD_FILE, and REDIS_USERNAME where it has users, or put them into REDIS_URL.',
  ],
  [
    /(?:^|-)WRONGPASS\b|invalid password|without any password configured/,
    'wrong_credentials',
    'Redis refuses the user name or the password (WRONGPASS): check REDIS_USERNAME, and REDIS_P or REDIS_PASSWORD_FILE, or REDIS_URL.',
  ],
  [
    /DB index is out of range|invalid DB index/i,
    'wrong_database',
    'Redis has no database of this number: check REDIS_DB, or the number in REDIS_URL.',
  ],
  [
    /(?:^|-)DENIED\b/,
    'no_permission',
    'Redis accepts connections from its own machine only (DENIED, protected mode): give it a password, or bind it to an address.',
  ],
  [
    /max number of clients/,
    'unreachable',
    'Redis has reached its connection limit: raise its maxclients.',
  ],
  [
    /\bmax .*exceeded/,
    'over_quota',
    'Redis has reached a limit of its plan, such as the number of commands or connections: raise it.',
  ],
]

/** By the code, or the prefix of the code, of a Node system error. */
const BY_CODE: readonly (readonly [pattern: RegExp, detail: string])[] = [
  [/^ECONNREFUSED$/, 'nothing listens at its address. Check REDIS_URL, and whether Redis runs'],
  [/^(?:ENOTFOUND|EAI_)/, 'its host name does not resolve. Check REDIS_URL'],
  [/CERT|^ERR_TLS|SELF_SIGNED|UNABLE_TO/, 'its TLS certificate is not accepted'],
]

/** A server without TLS leaves the handshake unanswered: "Connection timeout", without a code. */
const CONNECTION_FAILS =
  'the connection fails. Check REDIS_URL, and that its scheme fits: rediss with TLS, redis without'

/** @param command the name of the command that failed, where it is known */
export function explainUnfit(error: unknown, command?: string): Unfit {
  const cause = error instanceof AppError ? error.cause : error
  if (isTimeout(cause)) return unreachable('it does not answer in time')
  if (cause instanceof PasswordFileError) return noPassword(cause)
  if (!(cause instanceof ErrorReply)) return unreachable(explainCode(cause))
  if (isNotPermitted(cause)) return notPermitted(cause, command)
  const found = BY_MESSAGE.find(([pattern]) => pattern.test(cause.message))
  if (found !== undefined) return { reason: found[1], detail: found[2] }
  if (isCommandMissing(cause)) return commandMissing(command)
  const detail = `Redis answers ${command?.toUpperCase() ?? 'a command'} with an unexpected error: redis-cli shows which.`
  return { reason: 'unexpected_error', detail }
}

/** Why the connection to a server of a topology, at the address that it announces, was lost. */
export function explainAnnounced(error: unknown): Unfit {
  const unfit = explainUnfit(error)
  if (unfit.reason !== 'unreachable') return unfit
  return { ...unfit, detail: `${unfit.detail} ${MUST_BE_REACHABLE}` }
}

const MUST_BE_REACHABLE =
  'This is the address that the server announces: it must be reachable from here (cluster-announce-ip, replica-announce-ip).'

/** @param failure of the last discovery; undefined if none has ended yet */
export function explainTopology(failure: unknown, isCluster: boolean): Unfit {
  if (failure === undefined) return unreachable('its topology is not known yet')
  const message = failure instanceof ErrorReply ? failure.message : ''
  const found = BY_DISCOVERY.find(([pattern]) => pattern.test(message))
  if (found !== undefined) return { reason: found[1], detail: found[2] }
  if (isCluster && message.startsWith('CLUSTERDOWN')) return CLUSTER_DOWN
  return explainUnfit(failure, isCluster ? 'cluster|slots' : 'sentinel|get-master-addr-by-name')
}

function unreachable(why: string): Unfit {
  return { reason: 'unreachable', detail: `Redis cannot be reached: ${why}.` }
}

function noPassword({ message }: PasswordFileError): Unfit {
  return {
    reason: 'wrong_credentials',
    detail: `There is no password for Redis: ${message}. Each new connection reads it again.`,
  }
}

function explainCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return BY_CODE.find(([pattern]) => pattern.test(code))?.[1] ?? CONNECTION_FAILS
}

function notPermitted({ message }: ErrorReply, command: string | undefined): Unfit {
  const reason = 'no_permission'
  if (/access .*\bkey/i.test(message)) {
    const detail =
      'Redis denies this user the keys of this server (NOPERM): grant it the pattern of STORE_PREFIX, such as ~mcp:*'
    return { reason, detail }
  }
  // An uncached script was sent with EVAL instead; the message names the command.
  const refused = /'([\w.|]+)'/.exec(message)?.[1] ?? command ?? 'a command'
  return {
    reason,
    detail: `Redis refuses ${refused.toUpperCase()} to this user (NOPERM): give it ${grantsOf(refused)}`,
  }
}

function grantsOf(command: string): string {
  const name = command.toLowerCase()
  return /^eval(?:sha)?$/.test(name) ? '+eval +evalsha' : `+${name}`
}

function commandMissing(command = 'a command'): Unfit {
  const name = command.toUpperCase()
  if (/^EVAL/.test(name)) {
    return {
      reason: 'no_scripts',
      detail: `Redis runs no scripts here (it does not know ${name}): use a server that has EVAL and EVALSHA.`,
    }
  }
  return {
    reason: 'command_missing',
    detail: `Redis does not know the command ${name}: use Redis 6.2 or later, with its commands unrenamed.`,
  }
}
