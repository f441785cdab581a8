/** Ports for processes that tests start, assigned before they listen. */

import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Below the ephemeral ports, which outgoing connections could use meanwhile. */
const LOWEST_PORT = 20_000
const PORTS = 12_000

/** A lock file for each port, with its process; files of ended processes are ignored. */
const CLAIMS = join(tmpdir(), `mcp-template-ports-${process.getuid?.() ?? 'all'}`)

/**
 * An unused port, reserved for the lifetime of this process: other tests
 * run concurrently, and a killed node needs its port again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORTS)
    if (claim(port) && (await isFree(port))) return port
  }
}

function claim(port: number): boolean {
  const file = join(CLAIMS, String(port))
  mkdirSync(CLAIMS, { recursive: true })
  if (isLeftOver(file)) rmSync(file, { force: true })
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  // Two processes may have found the same stale file: the last writer wins.
  return readFileSync(file, 'utf8') === String(process.pid)
}

/** Whether the process that reserved the port has ended. */
function isLeftOver(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (!free) return false
  server.close()
  await once(server, 'close')
  return true
}
