/** `mcp-template settings`: documents a project's own variables, without any of them being set. */

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { COMMAND, copyProject } from '../support/project-copy.ts'

// Each command is a process that loads the framework from its sources.
vi.setConfig({ testTimeout: 300_000 })

const { folder, remove } = copyProject()
afterAll(remove)

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...COMMAND, ...args], {
    ...{ cwd: folder, env: { PATH: process.env.PATH }, encoding: 'utf8' },
  })
  return { status, stdout, stderr }
}

it('prints and writes them, and `check` warns until they are written', () => {
  expect(run('settings').stdout).toMatch(/^The project declares no settings/)
  const file = join(folder, 'src/mcp.ts')
  const declared = `settings: z.object({ DESK_KEY: z.string().describe('Signs.').optional() })`
  writeFileSync(file, readFileSync(file, 'utf8').replace('settings: z.object({})', declared))
  expect(run('settings')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('\n\n# Signs.\n# DESK_KEY=\n\n'),
  })
  expect(run('settings', '--markdown').stdout).toContain('| `DESK_KEY` | Signs. |')
  expect(run('check').stderr).toMatch(
    /^Warning: \.env\.example .*: npx mcp-template settings --write\n$/,
  )
  expect(run('settings', '--write').stdout).toBe('Wrote .env.example.\n')
  expect(readFileSync(join(folder, '.env.example'), 'utf8')).toContain('# DESK_KEY=\n')
  expect(run('settings', '--write').stdout).toBe('.env.example is up to date.\n')
  expect(run('check')).toMatchObject({ status: 0, stderr: '' })
  expect(run('settings', '--write', '--markdown')).toMatchObject({
    ...{ status: 1, stderr: '--write conflicts with --markdown.\n' },
  })
})
