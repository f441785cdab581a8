/** Runs the official suite's command as a process. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { suiteNode } from './suite-node.ts'

const MANIFEST = import.meta.resolve('@modelcontextprotocol/conformance/package.json')

/** A file of the suite's package. */
export function suiteFile(path: string): string {
  return fileURLToPath(new URL(path, MANIFEST))
}

/** Empties the suite's output folder. */
export async function emptyFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
}

/**
 * Runs the command to completion and logs its output to `suite.log`. Failures show in the result
 * files, not in the exit code. Calls `onLine` with each line; stops the suite if that throws.
 */
export async function runSuiteCommand(
  args: readonly string[],
  folder: string,
  onLine: (line: string) => Promise<void> | void = () => undefined,
): Promise<void> {
  const command = [suiteFile('dist/index.js'), ...args]
  const suite = spawn(suiteNode(), command, { stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(join(folder, 'suite.log'))
  for (const stream of [suite.stdout, suite.stderr]) stream.pipe(log, { end: false })
  createInterface({ input: suite.stdout }).on('line', async (line) => {
    try {
      await onLine(line)
    } catch (error) {
      log.write(`${error}\n`)
      suite.kill()
    }
  })
  await once(suite, 'close')
  log.end()
}
