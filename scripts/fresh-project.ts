/**
 * `npm run fresh-project [-- --node PATH] [--keep]`: takes a team's steps outside the repository,
 * with locally packed packages. Every change must pass it. Prints its measurements at the end.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { listTools } from './fresh-project/clients.ts'
import { createCommands } from './fresh-project/commands.ts'
import { expectOwnName } from './fresh-project/names.ts'
import { startServer } from './fresh-project/server.ts'
import { expectAtMost, kilobytes, linesOf, megabytes, ownFiles } from './fresh-project/size.ts'
import { packPackages } from './pack.ts'

const { values } = parseArgs({
  options: { node: { type: 'string' }, keep: { type: 'boolean', default: false } },
})
const node = values.node === undefined ? process.execPath : resolve(values.node)
const folder = mkdtempSync(join(tmpdir(), 'fresh-project-'))
const project = join(folder, 'acme-desk')
const { run, npm, remove, environment } = createCommands(folder, node)

/** The size limit of the tarball that every project downloads. */
const MAX_SERVER_KILOBYTES = 600

/** The samples of the starter, and the test of the tool that is added. */
const SAMPLES = [
  ...['src/tools/service.ts', 'src/tools/service.test.ts', 'src/tools/billing/refunds.test.ts'],
  ...['src/resources', 'src/prompts'],
]

async function step<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work()
  const seconds = (performance.now() - start) / 1000
  console.log(`${seconds.toFixed(1).padStart(6)} s  ${name}`)
  return result
}

async function serve(): Promise<void> {
  const options = { project, node, env: environment }
  const server = await step('start', () => startServer({ ...options, command: 'start' }))
  try {
    await step('list and call tools (2025-11-25)', () => listTools(server.url, '2025-11-25'))
    const link = await step('list and call tools (2026-07-28)', () =>
      listTools(server.url, '2026-07-28'),
    )
    await step('the name of the team alone is shown', () => expectOwnName(server.url, link))
  } finally {
    await step('stop', () => server.stop())
  }
  const dev = await step('dev', () => startServer({ ...options, command: 'dev' }))
  try {
    await step('reload after a change', () => dev.rename(project, 'Acme Support'))
  } finally {
    await dev.stop()
  }
}

async function production(): Promise<string> {
  const copy = join(folder, 'production')
  await step('npm ci, as in the image', () => {
    run(['cp', '-R', `${project}/.`, copy], folder)
    rmSync(join(copy, 'node_modules'), { recursive: true, force: true })
    npm(['ci', '--omit=dev', '--omit=optional'], copy)
  })
  return megabytes(join(copy, 'node_modules'))
}

try {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  console.log(`A fresh project on Node ${version}, in ${folder}`)
  const { server, create, createCommand } = await step('pack', () => packPackages(folder))
  expectAtMost(MAX_SERVER_KILOBYTES, server)
  await step('create', () =>
    run([node, createCommand, project, '--server', server, '--no-install'], folder),
  )
  const files = ownFiles(project)
  const lines = linesOf(files)
  await step('npm install', () => npm(['install'], project))
  await step('check', () => npm(['run', 'check'], project))
  await step('new:tool billing/refunds', () =>
    npm(['run', 'new:tool', '--', 'billing/refunds'], project),
  )
  await step('check', () => npm(['run', 'check'], project))
  remove(project, SAMPLES)
  await step('check, without samples and tests', () => npm(['run', 'check'], project))
  await serve()
  const size = await production()
  console.log(
    `${files.length} files with ${lines} lines; tarballs: server ${kilobytes(server)}, create ${kilobytes(create)}; installed: ${megabytes(join(project, 'node_modules'))}, ${size} for production`,
  )
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  if (values.keep) console.log(`Kept: ${folder}`)
  else rmSync(folder, { recursive: true, force: true })
}
