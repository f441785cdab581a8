/** Finds the Node for the suite, which requires a newer one than the server. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

const OLDEST = 22

/** The folder in which `.ci/node22.sh` installs one. */
const CACHE = join(import.meta.dirname, '../../.cache/node22/node_modules')

/**
 * The running Node if it is new enough, or the one downloaded for the suite.
 * @throws Error that explains how to install one
 */
export function suiteNode(): string {
  if (Number(process.versions.node.split('.')[0]) >= OLDEST) return process.execPath
  const { platform, arch } = process
  const program = join(CACHE, `node-${platform === 'win32' ? 'win' : platform}-${arch}`, 'bin/node')
  const found = [program, `${program}.exe`].find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new Error(`The suite needs Node ${OLDEST} or newer. Run: sh .ci/node22.sh`)
}
