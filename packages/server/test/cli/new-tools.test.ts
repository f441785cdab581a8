/** `mcp-template new tools`, as a process in a project: the files it writes pass all checks unchanged. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { COMMAND, copyProject, MODULES } from '../support/project-copy.ts'

// Each command is a process that loads the framework from its sources.
vi.setConfig({ testTimeout: 300_000 })

const { folder: copy, remove } = copyProject()
afterAll(remove)

const SHOP = join(import.meta.dirname, '../fixtures/openapi/shop.yaml')

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
const newTools = (...args: string[]) => run(COMMAND, 'new', 'tools', '--openapi', SHOP, ...args)

const NAMES = [
  ...['create_order', 'delete_orders_order_id', 'orders_list_for_authenticated_user'],
  'replace_order',
]

describe('new tools', () => {
  it('are in the help', () => {
    expect(run(COMMAND, '--help').stdout).toContain('new tools --openapi FILE')
  })

  it('are listed', () => {
    const { status, stdout } = newTools()
    expect([status, stdout.split('\n').length]).toEqual([0, 10])
    expect(stdout).toContain('GET /invoices/{id}')
  })

  it('are written', () => {
    const { status, output } = newTools('--only', '**')
    expect(status, output).toBe(0)
    expect(output).toContain('Wrote 6 tools with tests to src/tools')
  })

  it('are not written twice', () => {
    const { status, stderr } = newTools('--only', '**')
    expect([status, stderr.split('\n').length]).toEqual([1, 2])
    expect(stderr).toContain('--force')
    expect(newTools('--diff').stdout).toContain('6 tools are up to date')
  })

  it('are well formed, without a warning', () => {
    const { status, output } = installed(
      '@biomejs/biome/bin/biome',
      'check',
      '--error-on-warnings',
      'src',
    )
    expect(status, output).toBe(0)
  })

  it('have the right types', () => {
    const { status, output } = installed('typescript/bin/tsc')
    expect(status, output).toBe(0)
  })

  it('are loaded', () => {
    const { status, output } = run(COMMAND, 'check')
    expect(status, output).toBe(0)
    for (const name of NAMES) expect(output).toContain(name)
  })

  it('pass their tests', () => {
    const { status, output } = installed('vitest/vitest.mjs', 'run', 'src/tools')
    expect(status, output).toBe(0)
    expect(output).toMatch(/7 passed/)
  })
})
