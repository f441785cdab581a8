/** Lua scripts, which Redis runs atomically. */

import { createHash } from 'node:crypto'

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
