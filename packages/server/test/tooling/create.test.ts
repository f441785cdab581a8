/** `create-mcp-template`: its files, and invalid input, which writes nothing. */

import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../support/project-copy.ts'

const PACKAGE = join(ROOT, 'packages/create')
const folder = mkdtempSync(join(tmpdir(), 'create-'))
let cwd = folder

beforeAll(() => {
  const { status } = spawnSync(process.execPath, [join(PACKAGE, 'prepack.js')])
  expect(status).toBe(0)
})
beforeEach(() => {
  cwd = mkdtempSync(join(folder, 'case-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function create(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const command = [join(PACKAGE, 'index.js'), ...args]
  return spawnSync(process.execPath, command, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
}

const textOf = (file: string) => readFileSync(join(cwd, file), 'utf8')

describe('a project', () => {
  it('has every file of the starter, under its own name', () => {
    expect(create(['acme-desk', '--no-install'])).toMatchObject({ status: 0, stderr: '' })
    const names = readdirSync(join(cwd, 'acme-desk'))
    for (const name of ['.gitignore', '.dockerignore', '.env.example', '.github', 'Dockerfile']) {
      expect(names).toContain(name)
    }
    expect(names.filter((name) => name.startsWith('_'))).toEqual([])
    expect(names).not.toContain('node_modules')
  })

  it('is named after its directory', () => {
    create(['acme-desk', '--no-install'])
    expect(JSON.parse(textOf('acme-desk/package.json')).name).toBe('acme-desk')
    expect(textOf('acme-desk/src/server.ts')).toMatch(/name: 'acme-desk',\n {2}title: 'Acme Desk'/)
    expect(textOf('acme-desk/README.md')).toMatch(/^# Acme Desk\n/)
  })

  it('may have another name than its directory, which may be the current directory', () => {
    mkdirSync(join(cwd, '.git'))
    expect(create(['.', '--name', 'acme.desk2', '--no-install']).status).toBe(0)
    expect(textOf('src/server.ts')).toContain("title: 'Acme Desk2'")
  })

  it('installs the framework from a copied tarball, also in its image', () => {
    writeFileSync(join(cwd, 'server.tgz'), '')
    expect(create(['desk', '--server', 'server.tgz', '--no-install']).status).toBe(0)
    const { dependencies } = JSON.parse(textOf('desk/package.json'))
    expect(dependencies['@mcp-template/server']).toBe('file:vendor/server.tgz')
    expect(existsSync(join(cwd, 'desk/vendor/server.tgz'))).toBe(true)
    expect(textOf('desk/Dockerfile')).toContain('COPY vendor ./vendor\n')
    expect(textOf('desk/.dockerignore')).toMatch(/^!vendor$/m)
  })

  it('is complete without a network, and prints the next steps', () => {
    const registry = {
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_cache: join(cwd, 'c'),
    }
    const { status, stdout, stderr } = create(['desk'], registry)
    expect(status).toBe(1)
    expect(stdout).toContain('could not be installed')
    expect(stdout).toContain('npm install')
    expect(stderr).toContain('ECONNREFUSED')
    const names = readdirSync(join(cwd, 'desk'))
    expect(names).toContain('package.json')
    expect(names).not.toContain('node_modules')
    expect(names).not.toContain('package-lock.json')
  })
})

describe('bad input', () => {
  const LONG = 'x'.repeat(65)

  it.each([
    ['no directory', [], 'Name one directory'],
    ['an empty directory name', [''], 'Name one directory'],
    ['two directories', ['a', 'b'], 'Name one directory'],
    ['an unknown option', ['desk', '--colour'], '--colour'],
    ['an option without its value', ['desk', '--name'], '--name'],
    ['upper case', ['Desk'], '"Desk" cannot be the name'],
    ['a space', ['my desk'], '"my desk" cannot be the name'],
    ['a name that is a path', ['desk', '--name', '../desk'], 'cannot be the name'],
    ['an empty name', ['desk', '--name', ''], 'cannot be the name'],
    ['a name with a dot in front', ['.desk'], 'cannot be the name'],
    ['a name that npm reserves', ['node_modules'], 'cannot be the name'],
    ['a name that is too long', [LONG], 'cannot be the name'],
    ['a line break', ['desk', '--name', 'desk\n'], 'cannot be the name'],
    ['a quote', ['desk', '--name', "d'esk"], 'cannot be the name'],
    ['a missing tarball', ['desk', '--server', 'none.tgz'], 'none.tgz'],
  ])('is refused with one message: %s', (_what, args, message) => {
    const { status, stdout, stderr } = create(args)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(/^ {4}at /m)
    expect(readdirSync(cwd)).toEqual([])
  })

  it('leaves a directory unchanged that is not empty', () => {
    mkdirSync(join(cwd, 'desk'))
    writeFileSync(join(cwd, 'desk/notes.txt'), 'mine')
    const { status, stderr } = create(['desk'])
    expect([status, stderr]).toEqual([1, expect.stringContaining('exists and is not empty')])
    expect(readdirSync(join(cwd, 'desk'))).toEqual(['notes.txt'])
  })

  it('leaves a file unchanged', () => {
    writeFileSync(join(cwd, 'desk'), 'mine')
    for (const directory of ['desk', 'desk/below']) {
      const { status, stderr } = create([directory])
      expect(status).toBe(1)
      expect(stderr).not.toMatch(/^ {4}at /m)
    }
    expect(textOf('desk')).toBe('mine')
  })

  it('includes a Node that is too old', () => {
    const older = "Object.defineProperty(process.versions, 'node', { value: '18.20.8' })"
    const { status, stderr } = create(['desk', '--no-install'], {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(older)}`,
    })
    expect([status, stderr]).toEqual([
      1,
      'MCP Template needs Node 20.19 or later; this is Node 18.20.8.\n',
    ])
    expect(readdirSync(cwd)).toEqual([])
  })
})
