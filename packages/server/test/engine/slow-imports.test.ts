/** A file whose import never settles is named in the log. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { type DiscoveryError, discover } from '../../src/engine/discover.ts'
import { spawnServer } from '../support/process.ts'
import { moduleOf, toolFile, writeCatalog } from './catalog.ts'

/** Without it, files in a temporary folder are CommonJS, which has no top-level await. */
const PACKAGE = { 'package.json': '{"type":"module"}' }
const HANGS = 'await new Promise(() => undefined)'
const DISCOVER = pathToFileURL(join(import.meta.dirname, '../../src/engine/discover.ts')).href

test('files that hang are named together with the other faults', async () => {
  const folder = writeCatalog({
    'tools/good.ts': toolFile(),
    'tools/hangs.ts': `${toolFile()}\n${HANGS}`,
    'tools/wrong.ts': '',
    'lib/hangs.ts': `${HANGS}\nexport default {}`,
    'resources/waits.ts': "import value from '../lib/hangs.ts'\nexport default value",
    'prompts/hangs.ts': moduleOf(`${HANGS}\nexport default {}`),
  })
  const slow: string[] = []
  const waiting = {
    slowAfterMs: 1000,
    longestMs: 6000,
    onSlow: (file: string, seconds: number) => void slow.push(`${file} ${seconds}`),
  }
  const error = await discover(folder, waiting).catch((thrown: unknown) => thrown)
  expect((error as DiscoveryError).faults).toEqual([
    expect.stringMatching(/^tools\/hangs\.ts: its import did not settle within 6 s/),
    expect.stringMatching(/^tools\/wrong\.ts: has no default export/),
    expect.stringMatching(/^resources\/waits\.ts: its import did not settle/),
    expect.stringMatching(/^prompts\/hangs\.ts: its import did not settle/),
  ])
  expect(slow).toEqual(
    expect.arrayContaining(['tools/hangs.ts 1', 'resources/waits.ts 1', 'prompts/hangs.ts 1']),
  )
})

test('a slow one is awaited, and reported once', async () => {
  const waits = 'await new Promise((resolve) => setTimeout(resolve, 600))'
  const folder = writeCatalog({ 'tools/slow.ts': `${toolFile()}\n${waits}` })
  const slow: string[] = []
  const onSlow = (file: string) => void slow.push(file)
  const { tools } = await discover(folder, { slowAfterMs: 100, longestMs: 20_000, onSlow })
  expect(tools.size).toBe(1)
  expect(slow).toEqual(['tools/slow.ts'])
})

test('a process without other work does not exit with code 13', {
  timeout: 240_000,
}, async () => {
  const folder = writeCatalog({ ...PACKAGE, 'tools/hangs.ts': HANGS })
  const code = `
    const { discover } = await import(${JSON.stringify(DISCOVER)})
    await discover(${JSON.stringify(folder)}, { longestMs: 500 })`
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', code]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [exitCode] = await once(child, 'close')
  expect(exitCode).toBe(1)
  expect(stderr).toContain('tools/hangs.ts: its import did not settle')
})

test('the server logs the file that it waits for', async () => {
  const folder = writeCatalog({ ...PACKAGE, 'tools/hangs.ts': HANGS })
  const server = spawnServer({ env: { TOOLS_DIR: folder, MASK_MCP_PORT: '0' } })
  const line = await server.line('import has not settled; waiting')
  expect(line).toMatchObject({ level: 'warn', file: 'tools/hangs.ts', seconds: 5 })
  await server.stop()
})
