/** The installed package: each export loads and has types, and no test runner is included. */

import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../../..')
const source = join(root, 'packages/server')
const tsc = join(root, 'node_modules/.bin/tsc')

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
}

/** A project outside of the repository, with the files that `npm pack` puts into the package. */
async function installPacked(folder: string): Promise<void> {
  const built = join(folder, 'built')
  cpSync(join(source, 'package.json'), join(built, 'package.json'))
  cpSync(join(source, 'bin'), join(built, 'bin'), { recursive: true })
  const options = ['--outDir', join(built, 'dist'), '--tsBuildInfoFile', join(folder, 'info')]
  await run(tsc, ['-p', source, ...options])
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder, built])
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const tarball = join(folder, `mcp-template-server-${version}.tgz`)
  const target = join(folder, 'project/node_modules/@mcp-template/server')
  mkdirSync(target, { recursive: true })
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target])
}

/** Links the dependencies of the manifest, and no others, from the repository. */
function linkDependencies(project: string): void {
  const text = readFileSync(join(source, 'package.json'), 'utf8')
  const { dependencies } = JSON.parse(text) as Manifest
  for (const name of [...Object.keys(dependencies), 'zod', 'tsx', '@types/node']) {
    const link = join(project, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    const own = join(source, 'node_modules', name)
    symlinkSync(existsSync(own) ? own : join(root, 'node_modules', name), link)
  }
}

const CONSUMER = `
import { defineServer, defineTool } from '@mcp-template/server'
import { createMemoryStore, testStore, type OpenedStore, type Store } from '@mcp-template/server/store'
import { callTool, expectNoLeak, getPrompt, readResource, startTestServer } from '@mcp-template/server/testing'
import { z } from 'zod'

const tool = defineTool({
  name: 'double',
  description: 'Doubles.',
  input: z.object({ number: z.number() }),
  output: z.object({ twice: z.number() }),
  run: async ({ input }) => ({ twice: input.number * 2 }),
})
const { structuredContent } = await callTool(tool, { number: 21 })
const store: Store = createMemoryStore()
const open = async (): Promise<OpenedStore> => ({ nodes: [store, store], close: () => store.close() })
await store.close()
const server = await startTestServer({ server: defineServer({ name: 'acme' }), tools: [tool] })
const page = await fetch(server.url)
await server.stop()
const kinds = [testStore, expectNoLeak, getPrompt, readResource, open].map((each) => typeof each)
console.log(JSON.stringify({ twice: structuredContent?.['twice'], status: page.status, kinds }))
`

const SERVER = `
import { defineServer } from '@mcp-template/server'
export default defineServer({ name: 'acme' as string })
`

const TOOL = `
import { defineTool } from '@mcp-template/server'
import { z } from 'zod'
const input: z.ZodObject = z.object({})
export default defineTool({ name: 'one', description: 'One.', input, output: z.string(), run: async () => '1' })
`

const STARTS = `
import { startTestServer } from '@mcp-template/server/testing'
const server = await startTestServer()
console.log((await fetch(server.url)).status)
await server.stop()
`

describe('the packed package', () => {
  let folder = ''
  let project = ''

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'packed-'))
    project = join(folder, 'project')
    await installPacked(folder)
    linkDependencies(project)
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(project, 'consumer.mts'), CONSUMER)
  }, 240_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('has types for each export, which compile, and its code runs', async () => {
    const strict = ['--strict', '--skipLibCheck', 'false', '--module', 'nodenext']
    const options = [...strict, '--target', 'es2023', '--types', 'node']
    await run(tsc, [...options, 'consumer.mts'], { cwd: project })
    const { stdout } = await run(process.execPath, ['consumer.mjs'], { cwd: project })
    const said = stdout.trim().split('\n').at(-1) ?? ''
    expect(JSON.parse(said)).toEqual({ twice: 42, status: 200, kinds: Array(5).fill('function') })
  }, 240_000)

  // On Node 20 a loader must be registered first.
  it('loads a project in TypeScript in every command, and in tests', async () => {
    mkdirSync(join(project, 'src/tools'), { recursive: true })
    writeFileSync(join(project, 'src/server.ts'), SERVER)
    writeFileSync(join(project, 'src/tools/one.ts'), TOOL)
    writeFileSync(join(project, 'starts.mjs'), STARTS)
    const bin = join(project, 'node_modules/@mcp-template/server/bin/mcp-template.js')
    const { stdout } = await run(process.execPath, [bin, 'tools'], { cwd: project })
    expect(stdout).toMatch(/ one\n/)
    const tested = await run(process.execPath, ['starts.mjs'], { cwd: project })
    expect(tested.stdout).toMatch(/200\n$/)
    // Without running a command: it needs the Redis of the nodes.
    const access = run(process.execPath, [bin, 'access', 'list'], { cwd: project })
    await expect(access).rejects.toThrow('This command needs the Redis of the nodes')
  }, 240_000)

  it('does not permit imports of internal files', async () => {
    const code = "await import('@mcp-template/server/dist/config.js')"
    const importing = run(process.execPath, ['--input-type=module', '-e', code], { cwd: project })
    await expect(importing).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  it('has neither sources nor tests', () => {
    const inside = (name: string) =>
      existsSync(join(project, 'node_modules/@mcp-template/server', name))
    expect(['src', 'test', 'dist/.tsbuildinfo'].filter(inside)).toEqual([])
    expect(['dist/index.js', 'dist/index.d.ts', 'bin/mcp-template.js'].every(inside)).toBe(true)
  })
})

it('installs no test runner', async () => {
  const listed = ['ls', '--omit=dev', '--all', '--parseable', '-w', '@mcp-template/server']
  const { stdout } = await run('npm', listed, { cwd: root }).catch((error) => error)
  const names = String(stdout)
    .split('\n')
    .map((path) => path.split('node_modules/').at(-1))
  expect(names).toContain('hono')
  expect(names.filter((name) => /^(@?vitest|jest|mocha|playwright)/.test(name ?? ''))).toEqual([])
})
