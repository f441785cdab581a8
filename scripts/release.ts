/**
 * Releases all packages with one version: sets it everywhere, dates the changelog, commits and
 * tags. Does not publish: the workflow for the tag does. `--dry-run` prints the changes.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  KINDS,
  type Kind,
  type Manifest,
  nextVersion,
  ReleaseError,
  releaseChangelog,
  setRanges,
} from './release/version.ts'

const USAGE = `Usage: npm run release -- ${KINDS.join('|')} [--dry-run]`

interface Lock {
  readonly packages: Record<string, Manifest>
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T
}

function projectsIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((project) => existsSync(join(project, 'package.json')))
}

/** Prepares the new contents of files without writing them. */
function prepare(kind: Kind) {
  if (git('status', '--porcelain').trim() !== '') {
    throw new ReleaseError('There are changes that are not committed. Commit or stash them first')
  }
  const published = projectsIn('packages')
  const versioned = ['.', ...published]
  const manifests = new Map(
    [...versioned, 'starter', ...projectsIn('examples')]
      .map((folder) => join(folder, 'package.json'))
      .filter((file) => existsSync(file))
      .map((file) => [file, readJson<Manifest>(file)]),
  )
  const { version: current = '' } = manifests.get('package.json') ?? {}
  for (const folder of published) {
    const { name, version } = manifests.get(join(folder, 'package.json')) ?? {}
    if (version === current) continue
    throw new ReleaseError(`${name} has version ${version}, and the repository ${current}`)
  }
  const version = nextVersion(current, kind)
  const tag = `v${version}`
  if (git('tag', '--list', tag).trim() !== '') throw new ReleaseError(`The tag ${tag} exists`)

  const ours = new Set([...manifests.values()].flatMap(({ name }) => name ?? []))
  const setVersion = (manifest: Manifest, folder: string) => {
    if (versioned.includes(folder)) manifest.version = version
    setRanges(manifest, version, ours)
  }
  const files = new Map<string, string>()
  for (const [file, manifest] of manifests) {
    setVersion(manifest, file === 'package.json' ? '.' : file.replace('/package.json', ''))
    files.set(file, `${JSON.stringify(manifest, null, 2)}\n`)
  }
  if (existsSync('package-lock.json')) {
    const lock = readJson<Lock & Manifest>('package-lock.json')
    lock.version = version
    for (const [folder, manifest] of Object.entries(lock.packages)) {
      if (!folder.includes('node_modules')) setVersion(manifest, folder || '.')
    }
    files.set('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
  }
  const date = new Date().toISOString().slice(0, 10)
  const changelog = readFileSync('CHANGELOG.md', 'utf8')
  files.set('CHANGELOG.md', releaseChangelog(changelog, version, date))
  return { version, tag, files }
}

function main(args: readonly string[]): void {
  const isDryRun = args.includes('--dry-run')
  const [kind, ...others] = args.filter((arg) => arg !== '--dry-run')
  if (!KINDS.some((known) => known === kind) || others.length > 0) throw new ReleaseError(USAGE)
  const { version, tag, files } = prepare(kind as Kind)
  if (isDryRun) {
    console.log(`Would release ${version}: ${[...files.keys()].join(', ')}, then tag ${tag}`)
    return
  }
  for (const [file, content] of files) writeFileSync(file, content)
  git('add', '--', ...files.keys())
  git('commit', '--quiet', '--message', `release: ${version}`)
  git('tag', '--annotate', tag, '--message', version)
  console.log(`Released ${version}. To publish it: git push --follow-tags`)
}

try {
  main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof ReleaseError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
