/** `mcp-template tools`: what each tool adds to the list of tools. */

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { COMMAND, copyProject } from '../support/project-copy.ts'

// The command is a process that loads the framework from its sources.
vi.setConfig({ testTimeout: 300_000 })

const { folder, remove } = copyProject()
afterAll(remove)

it('prints sizes, and warns of names that clients refuse', () => {
  const code = readFileSync(join(folder, 'src/tools/service.ts'), 'utf8')
  const dotted = code.replace("name: 'service'", "name: 'service.read'")
  writeFileSync(join(folder, 'src/tools/dotted.ts'), dotted)
  const { status, stdout, stderr } = spawnSync(process.execPath, [...COMMAND, 'tools'], {
    ...{ cwd: folder, env: { PATH: process.env.PATH }, encoding: 'utf8' },
  })
  expect([status, stderr]).toEqual([0, expect.stringMatching(/^Warning: .*: service\.read\n$/)])
  expect(stdout).toMatch(/^ +bytes {2}tool\n( +\d+ {2}[\w.]+\n){5} +\d+ {2}all\n$/)
})
