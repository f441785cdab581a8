/**
 * Plays all steps of the demo with the official clients against its own server, and shows each one.
 * Exits with 0 only if every step succeeds. Requires no Redis, account or network.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReport, DemoFailure } from './demo/report.ts'
import { playStory } from './demo/story.ts'

/** The demo takes a few seconds; a hung step fails after this time. */
const LONGEST_MS = 60_000

const report = createReport(process.stdout)
const started = performance.now()
const ends: (() => Promise<unknown>)[] = []

async function play(): Promise<void> {
  report.title('MCP Template: from connecting to signing out')
  const folder = await mkdtemp(join(tmpdir(), 'mcp-demo-'))
  ends.push(() => rm(folder, { recursive: true, force: true }))
  await playStory({ report, folder, cleanup: (end) => void ends.push(end) })
}

/** Stops in reverse order of start. */
async function cleanUp(): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end().catch(() => undefined)
}

function tooLong(): Promise<never> {
  return new Promise((_resolve, reject) => {
    const failure = new DemoFailure(`no end after ${LONGEST_MS / 1000} seconds`)
    setTimeout(() => reject(failure), LONGEST_MS).unref()
  })
}

function interrupted(): Promise<never> {
  return new Promise((_resolve, reject) => {
    process.on('SIGINT', () => reject(new DemoFailure('interrupted')))
    process.on('SIGTERM', () => reject(new DemoFailure('interrupted')))
  })
}

try {
  await Promise.race([play(), tooLong(), interrupted()])
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  report.end(`All steps succeeded, in ${seconds} s. Start your own: npm run dev`)
} catch (error) {
  report.failed(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
} finally {
  await cleanUp()
  // An open handle of a failed step must not keep the process alive.
  process.stdout.write('', () => process.exit())
}
