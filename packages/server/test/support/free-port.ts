/** Ports for processes that tests start, which are told their port before they listen. */

import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Below the ports that systems give to outgoing connections, which could take one meanwhile. */
const LOWEST_PORT = 20_000
const PORTS = 12_000

/** A file for each port that is taken, with the process that took it; those of processes that ended do not count. */
const CLAIMS = join(tmpdir(), `mcp-template-ports-${process.getuid?.() ?? 'all'}`)

/**
 * A port nobody listens on, and nobody else is given for as long as this process lives: other tests
 * run beside it, and a node that was killed needs its port again.
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
  // Two may have found the same one left over: the last to write has it.
  return readFileSync(file, 'utf8') === String(process.pid)
}

/** Whether the process that took the port is gone. */
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
