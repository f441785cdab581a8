/** Runs commands in a fresh project, as on a machine that has only this Node. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Variables that would configure the project's server, or come from the npm that runs this. */
const FOREIGN =
  /^(?:APP_|MASK_|MCP_|METRICS_|OTEL_|REDIS_|UPSTREAM_|VITEST|npm_(?!config_(?:cache|registry)$)|(?:CI|INIT_CWD|NODE|NODE_ENV|NODE_OPTIONS|PUBLIC_URL)$)/

export interface Commands {
  readonly environment: NodeJS.ProcessEnv
  /** @throws Error with the command's output, if it fails */
  run(command: readonly [string, ...string[]], cwd: string): void
  npm(args: readonly string[], cwd: string): void
  remove(project: string, paths: readonly string[]): void
}

/** `folder` receives a link to Node, and comes first in PATH. */
export function createCommands(folder: string, node: string): Commands {
  const programs = join(folder, 'bin')
  mkdirSync(programs)
  symlinkSync(node, join(programs, 'node'))
  const own = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name))
  const PATH = `${programs}${delimiter}${process.env.PATH}`
  const environment: NodeJS.ProcessEnv = { ...Object.fromEntries(own), PATH }

  const run: Commands['run'] = ([program, ...args], cwd) => {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd,
      env: environment,
      encoding: 'utf8',
    })
    if (status === 0) return
    const printed = `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`
    throw new Error(`${[program, ...args].join(' ')} failed:\n${printed}`)
  }

  return {
    environment,
    run,
    npm: (args, cwd) => run(['npm', ...args], cwd),
    remove(project, paths) {
      for (const path of paths) rmSync(join(project, path), { recursive: true })
    },
  }
}
