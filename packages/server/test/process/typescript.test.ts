/** The built framework runs projects of TypeScript and of JavaScript, and loads tsx for TypeScript only. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { copyProject, MODULES, ROOT } from '../support/project-copy.ts'

vi.setConfig({ testTimeout: 300_000 })

/** As an installed package: without the condition that selects the sources. */
const FRAMEWORK = join(ROOT, 'packages/server')
const COMMAND = join(FRAMEWORK, 'bin/mcp-template.js')
/** Node runs TypeScript itself from 22.18 on. */
const needsTsx = !('typescript' in process.features && process.features.typescript)

const { folder, remove } = copyProject(FRAMEWORK)
const elsewhere = mkdtempSync(join(tmpdir(), 'tools-'))
afterAll(() => {
  remove()
  rmSync(elsewhere, { recursive: true, force: true })
})
/** A project without the samples of the starter. */
for (const name of ['tools', 'resources', 'prompts'])
  rmSync(join(folder, 'src', name), { recursive: true })

const SERVER = `import { defineServer } from '@mcp-template/server'
export default defineServer({ name: 'sample' })
`
const tool = (name: string, type: string) => `import { z } from 'zod'
import { defineTool } from '@mcp-template/server'
const text${type} = 'hello'
export default defineTool({
  name: '${name}',
  description: 'Says hello.',
  input: z.object({}),
  output: z.object({ text: z.string() }),
  run: async () => ({ text }),
})
`

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function check(env: Readonly<Record<string, string>> = {}) {
  const coverage = mkdtempSync(join(tmpdir(), 'loaded-'))
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, 'check'], {
    cwd: folder,
    env: { PATH: process.env.PATH, NODE_V8_COVERAGE: coverage, ...env },
    encoding: 'utf8',
  })
  const reports = readdirSync(coverage).map((name) => readFileSync(join(coverage, name), 'utf8'))
  rmSync(coverage, { recursive: true })
  const loadsTsx = reports.some((report) => report.includes('/node_modules/tsx/dist/esm/'))
  return { status, stderr, tools: /tools: (.*)/.exec(stdout)?.[1], loadsTsx }
}

const passed = { status: 0, stderr: '' }

it('a project of JavaScript needs no tsx', () => {
  rmSync(join(folder, 'src/server.ts'))
  rmSync(join(folder, 'src/mcp.ts'))
  write(join(folder, 'src/server.js'), SERVER)
  write(join(folder, 'src/tools/greet.js'), tool('greet', ''))
  rmSync(join(folder, 'vitest.config.ts'))
  // Declaration files are not loaded.
  write(join(folder, 'src/shapes.d.ts'), 'export type Shape = string\n')
  expect(check()).toEqual({
    ...passed,
    ...{ tools: 'greet, login, logout, session', loadsTsx: false },
  })
})

it('tools in another folder are TypeScript, while the server is not', () => {
  write(join(elsewhere, 'package.json'), '{ "type": "module" }')
  symlinkSync(MODULES, join(elsewhere, 'node_modules'))
  write(join(elsewhere, 'tools/wave.ts'), tool('wave', ': string'))
  expect(check({ TOOLS_DIR: elsewhere })).toEqual({
    ...passed,
    ...{ tools: 'wave', loadsTsx: needsTsx },
  })
})

it('one tool is TypeScript', () => {
  write(join(folder, 'src/tools/deep/wave.ts'), tool('wave', ': string'))
  const tools = 'greet, login, logout, session, wave'
  expect(check()).toEqual({ ...passed, tools, loadsTsx: needsTsx })
})

it('the server is TypeScript', () => {
  rmSync(join(folder, 'src/tools/deep'), { recursive: true })
  rmSync(join(folder, 'src/server.js'))
  write(join(folder, 'src/server.ts'), SERVER)
  const tools = 'greet, login, logout, session'
  expect(check()).toEqual({ ...passed, tools, loadsTsx: needsTsx })
})

it.runIf(needsTsx)(
  "tsx is loaded after the server's own modules, which it would slow down",
  async () => {
    const coverage = mkdtempSync(join(tmpdir(), 'loaded-'))
    const server = spawn(process.execPath, [COMMAND, 'start'], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        NODE_V8_COVERAGE: coverage,
        MASK_MCP_PORT: '0',
        STOP_DELAY: '0',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    for await (const chunk of server.stdout) {
      output += chunk
      if (output.includes('"ready"')) break
    }
    server.kill('SIGTERM')
    await once(server, 'exit')
    const scripts = readdirSync(coverage).flatMap((name) => {
      const { result } = JSON.parse(readFileSync(join(coverage, name), 'utf8'))
      return result as { readonly url: string }[]
    })
    rmSync(coverage, { recursive: true })
    // V8 lists the scripts of a thread in the order of their compilation.
    const placeOf = (part: string) => scripts.findIndex(({ url }) => url.includes(part))
    expect(placeOf('/dist/serve-http.js')).toBeGreaterThan(-1)
    expect(placeOf('/tsx/dist/esm/api/')).toBeGreaterThan(placeOf('/dist/serve-http.js'))
    expect(placeOf('/tsx/dist/esm/api/')).toBeGreaterThan(placeOf('/dist/app.js'))
  },
)
