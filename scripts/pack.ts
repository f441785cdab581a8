/** Packs the packages as they would be published. */

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

export interface Tarballs {
  /** Of `@mcp-template/server`. */
  readonly server: string
  /** Of `create-mcp-template`. */
  readonly create: string
  /** Its command, unpacked. */
  readonly createCommand: string
}

/** Writes the tarballs below `folder`, built from the sources as they are. */
export function packPackages(folder: string): Tarballs {
  const unpacked = join(folder, 'create')
  mkdirSync(unpacked, { recursive: true })
  const create = pack('packages/create', folder)
  execFileSync('tar', ['-xzf', create, '-C', unpacked, '--strip-components=1'])
  return {
    server: pack('packages/server', folder),
    create,
    createCommand: join(unpacked, 'index.js'),
  }
}

function pack(workspace: string, folder: string): string {
  const args = ['pack', '--workspace', workspace, '--pack-destination', folder]
  const stdout = execFileSync('npm', [...args, '--json', '--foreground-scripts=false'], {
    cwd: ROOT,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [packed] = JSON.parse(stdout) as { filename: string }[]
  if (packed === undefined) throw new Error(`npm packed nothing of ${workspace}.`)
  return join(folder, packed.filename)
}
