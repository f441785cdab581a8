/** Lua scripts, which Redis runs atomically. */

import { createHash } from 'node:crypto'
import { ErrorReply } from '@redis/client'

export interface RedisScript {
  readonly source: string
  /** The SHA-1 by which EVALSHA names the script. */
  readonly sha: string
}

const defined: RedisScript[] = []

/** Scripts must name every key they touch in KEYS, so that Redis Cluster can route them. */
export function defineScript(source: string): RedisScript {
  const script = { source, sha: createHash('sha1').update(source).digest('hex') }
  defined.push(script)
  return script
}

/** All scripts of this program. */
export function definedScripts(): readonly RedisScript[] {
  return defined
}

type Command = (args: readonly string[], key: string | undefined) => Promise<unknown>

/** Sends EVALSHA, and EVAL to a server that does not have the script. */
export async function runScript(
  command: Command,
  script: RedisScript,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return await command(['EVALSHA', script.sha, ...rest], keys[0])
  } catch (error) {
    if (!(error instanceof ErrorReply) || !error.message.startsWith('NOSCRIPT')) throw error
    return await command(['EVAL', script.source, ...rest], keys[0])
  }
}
