/** The official clients in other languages, and what is missing to run them. */

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const CACHE = join(import.meta.dirname, '../../../../.cache')
const PROGRAMS = join(import.meta.dirname, 'programs')
const PYTHON_1 = join(CACHE, 'python-client/bin/python')
const PYTHON_2 = join(CACHE, 'python-2-client/bin/python')
const GO = join(CACHE, 'go-client/client')
const RUST = join(CACHE, 'rust-client/client')

export interface OfficialProgram {
  readonly title: string
  /** The installed or built file, and the script that provides it. */
  readonly needs: string
  readonly script: string
  /** The required command, and further folders that may contain it. */
  readonly toolchain: readonly [string, ...string[]]
  /** Whether the client receives the code with a callback server of its own. */
  readonly listens?: boolean
  command(url: string, name: string): readonly [string, ...string[]]
}

const python = { script: '.ci/python-client.sh', toolchain: ['python3'] } as const
const go = {
  needs: GO,
  script: '.ci/go-client.sh',
  toolchain: ['go', '/usr/local/go/bin/go'],
} as const
const rust = {
  needs: RUST,
  script: '.ci/rust-client.sh',
  toolchain: ['cargo', `${process.env.HOME}/.cargo/bin/cargo`],
} as const

function python2(library: 'mcp' | 'fastmcp', mode: 'legacy' | 'auto'): OfficialProgram {
  const script = join(PROGRAMS, 'mcp_2.py')
  return {
    ...python,
    title: library === 'mcp' ? `mcp 2.3, ${mode}` : `fastmcp 4.2, ${mode}`,
    needs: PYTHON_2,
    listens: library === 'fastmcp',
    command: (url, name) => [PYTHON_2, script, library, mode, url, name],
  }
}

const goOf = (version: string): OfficialProgram => ({
  ...go,
  title: `go-sdk 1.8, ${version}`,
  command: (url, name) => [GO, version, url, name],
})

const rustOf = (mode: 'legacy' | 'modern'): OfficialProgram => ({
  ...rust,
  title: `rmcp 3.11, ${mode}`,
  command: (url, name) => [RUST, mode, url, name],
})

export const OFFICIAL_PROGRAMS: readonly OfficialProgram[] = [
  {
    ...python,
    title: 'mcp 1.30',
    needs: PYTHON_1,
    command: (url, name) => [PYTHON_1, join(PROGRAMS, 'mcp_1.py'), url, name],
  },
  python2('mcp', 'legacy'),
  python2('mcp', 'auto'),
  python2('fastmcp', 'legacy'),
  python2('fastmcp', 'auto'),
  goOf('2025-11-25'),
  goOf('2026-07-28'),
  rustOf('legacy'),
  rustOf('modern'),
]

/** Why a program cannot be run; undefined where it can. */
export function programMissing({ needs, script, toolchain }: OfficialProgram): string | undefined {
  if (existsSync(needs)) return undefined
  return hasToolchain(toolchain) ? `run sh ${script}` : `the command ${toolchain[0]} is missing`
}

/**
 * With REQUIRE_CLIENTS=1 a missing program is a failure unless the machine lacks its toolchain; with
 * REQUIRE_CLIENTS=all it always is.
 */
export function isProgramRequired({ toolchain }: OfficialProgram): boolean {
  const required = process.env.REQUIRE_CLIENTS
  return required === 'all' || (required === '1' && hasToolchain(toolchain))
}

function hasToolchain(commands: readonly string[]): boolean {
  return commands.some((command) => {
    try {
      execFileSync(command, [command.endsWith('go') ? 'version' : '--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}
