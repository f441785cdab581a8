/** `npm run new:tool`, as a process in a copy of the project: what it writes passes as it is. */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { copyProject, MODULES, ROOT } from '../support/project-copy.ts'

const { folder: copy, remove } = copyProject()
afterAll(remove)

function run(program: string, ...args: string[]) {
  const { VITEST: _inside, COVERAGE: _measured, CI: _reported, ...env } = process.env
  const command = [join(MODULES, program), ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: copy,
    env,
    encoding: 'utf8',
  })
  return { status, stdout, stderr, output: stdout + stderr }
}

const newTool = (...args: string[]) =>
  run('tsx/dist/cli.mjs', join(ROOT, 'scripts/new-tool.ts'), ...args)

describe('a new tool', () => {
  it('is written with its test, and both say where they are', () => {
    const { status, stdout } = newTool('open-account')
    expect(status).toBe(0)
    expect(stdout).toContain('src/tools/open-account.ts')
    expect(stdout).toContain('test/tools/open-account.test.ts')
    expect(readFileSync(join(copy, 'src/tools/open-account.ts'), 'utf8')).toMatch(
      /name: 'open-account',\n {2}title: 'Open account'/,
    )
  })

  it('has a name of any legal form and length', () => {
    expect(newTool('a').status).toBe(0)
    expect(newTool(`x${'_1'.repeat(31)}`).status).toBe(0)
    expect(newTool('x'.repeat(64)).status).toBe(0)
  })

  it('is well formed', () => {
    const { status, output } = run('@biomejs/biome/bin/biome', 'check', 'src/tools', 'test/tools')
    expect(status, output).toBe(0)
  })

  it('has the right types', () => {
    const { status, output } = run('typescript/bin/tsc', '--noEmit')
    expect(status, output).toBe(0)
  }, 120_000)

  it('passes its test', () => {
    const { status, output } = run('vitest/vitest.mjs', 'run', 'test/tools/open-account.test.ts')
    expect(status, output).toBe(0)
    expect(output).toMatch(/3 passed/)
  }, 120_000)
})

describe('refuses', () => {
  it('to work without a name, or with two', () => {
    for (const names of [[], ['one', 'two']]) {
      const { status, stdout, stderr } = newTool(...names)
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
      expect(stderr).toContain('npm run new:tool NAME')
    }
  })

  it.each([
    '',
    'Upper',
    '1st',
    '-x',
    'x-',
    'x--y',
    'a b',
    'x.test',
    'x.d',
    '../login',
    'a/b',
    "it's",
    'ünïcode',
    'x'.repeat(65),
  ])('the name "%s"', (name) => {
    const { status, stderr } = newTool(name)
    expect(status).toBe(1)
    expect(stderr).toContain("cannot be a tool's name")
    expect(stderr).not.toContain('    at ')
  })

  it('to write over a tool, and writes no test beside it', () => {
    rmSync(join(copy, 'test/tools/login.test.ts'))
    const before = readFileSync(join(copy, 'src/tools/login.ts'), 'utf8')
    const { status, stderr } = newTool('login')
    expect(status).toBe(1)
    expect(stderr).toBe('There is a src/tools/login.ts already.\n')
    expect(readFileSync(join(copy, 'src/tools/login.ts'), 'utf8')).toBe(before)
    expect(existsSync(join(copy, 'test/tools/login.test.ts'))).toBe(false)
  })
})
