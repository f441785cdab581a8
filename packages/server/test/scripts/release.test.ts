/** `npm run release`: one version everywhere, the changelog dated, a commit and a tag, or nothing at all. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../../..')
const script = join(root, 'scripts/release.ts')
const tsx = join(root, 'node_modules/.bin/tsx')

let folder = ''

function git(...args: readonly string[]): string {
  const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com']
  return execFileSync('git', [...who, ...args], { cwd: folder, encoding: 'utf8' })
}

function write(file: string, content: unknown): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`
  writeFileSync(join(folder, file), text)
}

function read(file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}

function release(...args: readonly string[]) {
  const who = { GIT_AUTHOR_NAME: 'Test', GIT_AUTHOR_EMAIL: 'test@example.com' }
  const committer = { GIT_COMMITTER_NAME: 'Test', GIT_COMMITTER_EMAIL: 'test@example.com' }
  const env = { ...process.env, ...who, ...committer }
  return spawnSync(tsx, [script, ...args], { cwd: folder, env, encoding: 'utf8' })
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'release-'))
  const server = { name: '@acme/server', version: '0.4.1' }
  const doctor = { name: '@acme/doctor', version: '0.4.1' }
  const starter = { name: 'starter', version: '7.0.0', dependencies: { '@acme/server': '^0.4.1' } }
  const own = { name: 'root', version: '0.4.1', devDependencies: { '@acme/server': '*' } }
  write('package.json', own)
  write('packages/server/package.json', server)
  write('packages/doctor/package.json', doctor)
  write('starter/package.json', starter)
  const example = { ...starter, name: 'example' }
  write('examples/desk/package.json', example)
  write('package-lock.json', {
    ...{ name: 'root', version: '0.4.1' },
    packages: {
      ...{ '': own, 'packages/server': server, 'packages/doctor': doctor, starter },
      'examples/desk': example,
      'node_modules/other': { version: '0.4.1' },
    },
  })
  write(
    'CHANGELOG.md',
    '# Changelog\n\n## Unreleased\n\n- New entry.\n\n## 0.4.1 - 2026-01-01\n\n- Old.\n',
  )
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message', 'start')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it.each([
  ['patch', '0.4.2'],
  ['minor', '0.5.0'],
  ['major', '1.0.0'],
])('releases a %s version of everything', (kind, version) => {
  expect(release(kind)).toMatchObject({ status: 0, stderr: '' })
  for (const file of [
    'package.json',
    'packages/server/package.json',
    'packages/doctor/package.json',
  ])
    expect(JSON.parse(read(file)).version).toBe(version)
  const starter = { version: '7.0.0', dependencies: { '@acme/server': `^${version}` } }
  expect(JSON.parse(read('starter/package.json'))).toMatchObject(starter)
  expect(JSON.parse(read('examples/desk/package.json'))).toMatchObject(starter)
  expect(JSON.parse(read('package-lock.json'))).toMatchObject({
    version,
    packages: {
      '': { version, devDependencies: { '@acme/server': '*' } },
      'packages/server': { version },
      'node_modules/other': { version: '0.4.1' },
      'examples/desk': starter,
      starter,
    },
  })
  const today = new Date().toISOString().slice(0, 10)
  expect(read('CHANGELOG.md')).toBe(
    `# Changelog\n\n## Unreleased\n\n## ${version} - ${today}\n\n- New entry.\n\n## 0.4.1 - 2026-01-01\n\n- Old.\n`,
  )
  expect(git('log', '--format=%s', '-1').trim()).toBe(`release: ${version}`)
  expect(git('tag', '--points-at', 'HEAD').trim()).toBe(`v${version}`)
  expect(git('status', '--porcelain')).toBe('')
})

it('only prints the steps with --dry-run', () => {
  const { status, stdout } = release('minor', '--dry-run')
  expect({ status, tags: git('tag'), changes: git('status', '--porcelain') }).toEqual({
    ...{ status: 0, tags: '', changes: '' },
  })
  expect(stdout).toContain('0.5.0')
})

function refuses(words: string, ...args: readonly string[]): void {
  const before = git('rev-parse', 'HEAD')
  const { status, stderr } = release(...args)
  expect(status).toBe(1)
  expect(stderr).toContain(words)
  expect(git('rev-parse', 'HEAD')).toBe(before)
}

it('refuses a tree with changes', () => {
  write('packages/server/new.ts', 'export {}')
  refuses('not committed', 'patch')
})

it('refuses packages whose versions differ', () => {
  write('packages/doctor/package.json', { name: '@acme/doctor', version: '0.3.0' })
  git('commit', '--all', '--quiet', '--message', 'differ')
  refuses('@acme/doctor has version 0.3.0', 'patch')
})

it('refuses a version that has a tag', () => {
  git('tag', 'v0.4.2')
  refuses('v0.4.2 exists', 'patch')
})

it('refuses a changelog without entries', () => {
  write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n## 0.4.1 - 2026-01-01\n\n- Old.\n')
  git('commit', '--all', '--quiet', '--message', 'no entries')
  refuses('nothing under "Unreleased"', 'patch')
})

it.each([[[]], [['huge']], [['patch', 'minor']]])('prints the usage for %j', (args) => {
  refuses('Usage: npm run release', ...args)
})
