/** Packs the packages as for publishing. */

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

export interface Tarballs {
  /** The tarball of `@mcp-template/server`. */
  readonly server: string
  /** The tarball of `create-mcp-template`. */
  readonly create: string
  /** The path of its unpacked command. */
  readonly createCommand: string
}

/** Writes the tarballs below `folder`, built from the current sources. */
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
