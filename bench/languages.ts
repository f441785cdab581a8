/**
 * Peers in other languages: measured if their toolchain is installed, built into
 * .cache/bench-peers.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Program } from './measured-process.ts'

const SOURCES = join(import.meta.dirname, 'peers')
const BUILT = join(import.meta.dirname, '../.cache/bench-peers')

export interface Language {
  readonly key: string
  /** The name with its version. */
  readonly what: string
  readonly command: readonly [program: string, ...args: string[]]
}

interface LanguageSource {
  readonly key: string
  readonly name: string
  /** The required toolchain, and its folder outside PATH. */
  readonly toolchain: string
  readonly toolchainFolder?: string
  /** The manifest with the SDK's version. */
  readonly manifest: string
  readonly version: RegExp
  /**
   * The build commands, run in the source folder if `program` is missing, or if they cheaply detect
   * an up-to-date build.
   */
  readonly build: (toolchain: string) => readonly (readonly [program: string, ...args: string[]])[]
  /** The command of the built server; the port and the number of tools are appended. */
  readonly command: readonly [program: string, ...args: string[]]
}

const VENV = join(BUILT, 'python')

const SOURCES_OF: readonly LanguageSource[] = [
  {
    key: 'go-sdk',
    name: 'Go SDK',
    toolchain: 'go',
    toolchainFolder: '/usr/local/go/bin',
    manifest: 'go/go.mod',
    version: /go-sdk v(\S+)/,
    build: (go) => [[go, 'build', '-o', join(BUILT, 'go/peer'), '.']],
    command: [join(BUILT, 'go/peer')],
  },
  {
    key: 'rmcp',
    name: 'rmcp (Rust)',
    toolchain: 'cargo',
    toolchainFolder: join(homedir(), '.cargo/bin'),
    manifest: 'rust/Cargo.lock',
    version: /name = "rmcp"\nversion = "([^"]+)"/,
    build: (cargo) => [
      [cargo, 'build', '--release', '--locked', '--target-dir', join(BUILT, 'rust')],
    ],
    command: [join(BUILT, 'rust/release/rmcp-peer')],
  },
  {
    key: 'fastmcp-python',
    name: 'FastMCP (Python)',
    toolchain: 'python3',
    manifest: 'python/requirements.txt',
    version: /fastmcp==(\S+)/,
    build: (python) => [
      [python, '-m', 'venv', VENV],
      [join(VENV, 'bin/pip'), 'install', '--quiet', '--no-input', '-r', 'requirements.txt'],
    ],
    command: [join(VENV, 'bin/python'), join(SOURCES, 'python/server.py')],
  },
]

export interface Languages {
  readonly found: readonly Language[]
  /** Why the other peers are not measured, one sentence each. */
  readonly missing: readonly string[]
}

/** Builds all peers whose toolchain is installed. A brief run uses only existing builds. */
export function prepareLanguages(isBrief: boolean): Languages {
  mkdirSync(BUILT, { recursive: true })
  const found: Language[] = []
  const missing: string[] = []
  for (const source of SOURCES_OF) {
    const reason = reasonToSkip(source, isBrief)
    const { key, name, command } = source
    if (reason === undefined) found.push({ key, what: `${name} ${versionOf(source)}`, command })
    else missing.push(`${name} is not measured: ${reason}.`)
  }
  return { found, missing }
}

function reasonToSkip(source: LanguageSource, isBrief: boolean): string | undefined {
  const [program] = source.command
  if (isBrief) return existsSync(program) ? undefined : 'a brief run builds nothing'
  const toolchain = findToolchain(source)
  if (toolchain === undefined) return `\`${source.toolchain}\` is not installed`
  const cwd = join(SOURCES, source.manifest, '..')
  for (const [builder, ...args] of source.build(toolchain)) {
    const { status, stderr } = spawnSync(builder, args, { cwd, encoding: 'utf8' })
    if (status === 0) continue
    console.error(stderr)
    return `\`${source.toolchain}\` could not build it`
  }
  return undefined
}

function findToolchain({ toolchain, toolchainFolder = '' }: LanguageSource): string | undefined {
  return [toolchain, join(toolchainFolder, toolchain)].find(
    (program) => spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined,
  )
}

function versionOf({ manifest, version }: LanguageSource): string {
  const text = readFileSync(join(SOURCES, manifest), 'utf8')
  return version.exec(text)?.[1] ?? 'of unknown version'
}

export function languageProgram({ command }: Language, toolCount: number): Program {
  return {
    command: (port) => [...command, String(port), String(toolCount)],
    env: () => ({}),
    readyPath: '/',
  }
}
