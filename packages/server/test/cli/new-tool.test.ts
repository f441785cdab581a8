/** `mcp-template new`, as a process in a project: the files it writes pass all checks unchanged. */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { COMMAND, copyProject, MODULES } from '../support/project-copy.ts'

// Each command is a process that loads the framework from its sources.
vi.setConfig({ testTimeout: 300_000 })

const { folder: copy, remove } = copyProject()
afterAll(remove)

function run(program: readonly string[], ...args: string[]) {
  const { VITEST: _inside, CI: _reported, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], {
    cwd: copy,
    env,
    encoding: 'utf8',
  })
  return { status, stdout, stderr, output: stdout + stderr }
}

const installed = (program: string, ...args: string[]) => run([join(MODULES, program)], ...args)
const command = (...args: string[]) => run(COMMAND, ...args)
const newTool = (...args: string[]) => command('new', 'tool', ...args)

describe('a new tool', () => {
  it('is written with its test, and both paths are printed', () => {
    const { status, stdout } = newTool('open-account')
    expect(status).toBe(0)
    expect(stdout).toContain('src/tools/open-account.ts')
    expect(stdout).toContain('src/tools/open-account.test.ts')
    expect(readFileSync(join(copy, 'src/tools/open-account.ts'), 'utf8')).toMatch(
      /name: 'open-account',\n {2}title: 'Open account'/,
    )
  })

  it('may be in a folder, and has the name of its file', () => {
    const { status, stdout } = newTool('billing/refund')
    expect([status, stdout]).toEqual([
      0,
      'Wrote src/tools/billing/refund.ts and src/tools/billing/refund.test.ts.\nNext: npx vitest run src/tools/billing/refund.test.ts\n',
    ])
    expect(readFileSync(join(copy, 'src/tools/billing/refund.ts'), 'utf8')).toContain(
      "name: 'refund'",
    )
  })

  it('has a name of any legal form and length', () => {
    expect(newTool('a').status).toBe(0)
    expect(newTool(`x${'_1'.repeat(31)}`).status).toBe(0)
    expect(newTool('x'.repeat(64)).status).toBe(0)
  })

  it('is well formed', () => {
    const { status, output } = installed('@biomejs/biome/bin/biome', 'check', 'src')
    expect(status, output).toBe(0)
  })

  it('has the right types', () => {
    const { status, output } = installed('typescript/bin/tsc')
    expect(status, output).toBe(0)
  }, 240_000)

  it('passes its test', () => {
    const { status, output } = installed(
      'vitest/vitest.mjs',
      'run',
      'src/tools/open-account.test.ts',
    )
    expect(status, output).toBe(0)
    expect(output).toMatch(/3 passed/)
  }, 240_000)
})

describe('a new resource and a new prompt', () => {
  it('are written, well formed and loaded', () => {
    const [resource, prompt] = ['src/resources/guides/rules', 'src/prompts/explain']
    for (const [kind, path, file] of [
      ['resource', 'guides/rules', resource],
      ['prompt', 'explain', prompt],
    ] as const) {
      expect(command('new', kind, path).stdout).toBe(
        `Wrote ${file}.ts and ${file}.test.ts.\nNext: npx vitest run ${file}.test.ts\n`,
      )
    }
    const tests = [`${resource}.test.ts`, `${prompt}.test.ts`]
    const ran = installed('vitest/vitest.mjs', 'run', ...tests)
    expect(ran.status, ran.output).toBe(0)
    expect(ran.output).toMatch(/3 passed/)
    const lint = installed('@biomejs/biome/bin/biome', 'check', 'src')
    expect(lint.status, lint.output).toBe(0)
    const { status, output } = command('check')
    expect(status, output).toBe(0)
    expect(output).toMatch(/tools: a, .*open-account, refund[\s\S]*branches, rules[\s\S]*explain/)
  })
})

describe('refuses', () => {
  it('an unknown kind', () => {
    for (const kind of [[], ['thing', 'x']]) {
      const { status, stderr } = command('new', ...kind)
      expect([status, stderr]).toEqual([1, 'Name what to create: tool, resource, prompt, hook.\n'])
    }
  })

  it('to work without a name, or with two', () => {
    for (const names of [[], ['one', 'two']]) {
      const { status, stdout, stderr } = newTool(...names)
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
      expect(stderr).toContain('[FOLDER/]NAME')
    }
  })

  it.each([
    '',
    'Upper',
    '1st',
    'x-',
    'x--y',
    'a b',
    'x.test',
    'x.d',
    '../login',
    '/a',
    'a/',
    'a//b',
    '_a/b',
    "it's",
    'ünïcode',
    'x'.repeat(65),
  ])('the name "%s"', (name) => {
    const { status, stderr } = newTool(name)
    expect(status).toBe(1)
    expect(stderr).toContain("cannot be a tool's name")
    expect(stderr).not.toContain('    at ')
  })

  it('to write outside of a project', () => {
    const elsewhere = join(copy, 'src/tools')
    const { status, stderr } = command('new', 'tool', 'lost', '--project', elsewhere)
    expect([status, stderr]).toEqual([1, expect.stringContaining('There is no src/server.ts in')])
    expect(existsSync(join(elsewhere, 'src'))).toBe(false)
  })

  it('to overwrite a tool, and writes no test beside it', () => {
    rmSync(join(copy, 'src/tools/service.test.ts'))
    const before = readFileSync(join(copy, 'src/tools/service.ts'), 'utf8')
    const { status, stderr } = newTool('service')
    expect(status).toBe(1)
    expect(stderr).toBe('src/tools/service.ts exists already.\n')
    expect(readFileSync(join(copy, 'src/tools/service.ts'), 'utf8')).toBe(before)
    expect(existsSync(join(copy, 'src/tools/service.test.ts'))).toBe(false)
  })
})
