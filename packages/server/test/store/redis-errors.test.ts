/** Errors of Redis: which are unavailability, which are faults of ours, and how they are explained. */

import { ErrorReply } from '@redis/client'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { toStoreError } from '../../src/store/redis-errors.ts'
import { explainUnfit } from '../../src/store/redis-unfit.ts'

describe('an answer of Redis', () => {
  const UNAVAILABLE = [
    "ERR unknown command 'EVAL', with args beginning with: 'return 1' 'mcp:key' 'a value'",
    'ERR unknown command `XTRIM`, with args beginning with: `a`',
    "ERR unknown subcommand 'LOAD'. Try SCRIPT HELP.",
    'ERR Unknown Redis command called from script script: 7ae0, on @user_script:1.',
    "ERR Command is not available: 'XREAD'.",
    "ERR ACL failure in script: User x has no permissions to run the 'xadd' command",
    "ERR The user executing the script can't run this command or subcommand script: 7ae0",
    'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
    'NOREPLICAS Not enough good replicas to write.',
    'MISCONF Redis is configured to save RDB snapshots',
    'NOPERM this user has no permissions to access one of the keys used as arguments',
    'MOVED 3999 127.0.0.1:6381',
    'ASK 3999 127.0.0.1:6381',
    'CROSSSLOT Keys in request do not hash to the same slot',
    'CLUSTERDOWN Hash slot not served',
    'LOADING Redis is loading the dataset in memory',
    'MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to no.',
    "READONLY You can't write against a read only replica.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    'BUSY Redis is busy running a script.',
    'NOAUTH Authentication required.',
    'EXECABORT Transaction discarded because of previous errors.',
    'ERR max number of clients reached',
    'ERR max number of clients + cluster connections reached',
    'ERR Error running script (call to f_7ae0): @user_script:1: Script killed by user with SCRIPT KILL',
    'ERR Script killed by user with SCRIPT KILL. script: 7ae0, on @user_script:1.',
    // Upstash, at the limits of a plan.
    'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.',
    'ERR max requests limit exceeded. Limit: 500000, Usage: 500000.',
    // Twemproxy, and Envoy, whose errors have no code.
    'ERR Connection refused',
    'ERR Connection timed out',
    'ERR Host is down',
    'no upstream host',
    'upstream failure',
    'SOMETHING new',
  ]

  it.each(UNAVAILABLE)('means 503: %s', (text) => {
    const error = toStoreError(new ErrorReply(text)) as AppError
    expect(error).toBeInstanceOf(AppError)
    expect(error.status).toBe(503)
    // What the caller sent must not get into the log.
    expect(String((error.cause as Error).message)).not.toMatch(/mcp:key|a value/)
  })

  it.each(['WRONGTYPE Operation against a key', 'ERR syntax error'])(
    'is a fault of ours: %s',
    (text) => {
      const error = new ErrorReply(text)
      expect(toStoreError(error)).toBe(error)
    },
  )

  it.each([
    ['LOADING Redis is loading the dataset in memory', 'loading'],
    ['BUSY Redis is busy running a script.', 'busy'],
    ['MASTERDOWN Link with MASTER is down', 'is_replica'],
    ['ERR SELECT is not allowed in cluster mode', 'is_cluster'],
    ['ERR max number of clients reached', 'unreachable'],
    ['ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.', 'over_quota'],
    ['DENIED Redis is running in protected mode', 'no_permission'],
  ])('is explained: %s', (text, reason) => {
    expect(explainUnfit(new ErrorReply(text)).reason).toBe(reason)
  })
})
