/** Lua scripts that Redis runs as one step. */

import { createHash } from 'node:crypto'

export interface RedisScript {
  readonly source: string
  /** Redis's name for a script it has seen. */
  readonly sha: string
}

const defined: RedisScript[] = []

/** Scripts must name every key they touch in KEYS, so that Redis Cluster can route them. */
export function defineScript(source: string): RedisScript {
  const script = { source, sha: createHash('sha1').update(source).digest('hex') }
  defined.push(script)
  return script
}

/** All that this program has. */
export function definedScripts(): readonly RedisScript[] {
  return defined
}
