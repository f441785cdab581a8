/** Lets the process import the TypeScript of a project, where Node does not do that by itself. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

const CODE = /\.[cm]?ts$/
const DECLARATIONS = /\.d\.[cm]?ts$/

/** There is nothing that runs TypeScript; the message says what to install. */
export class TypeScriptError extends Error {
  override readonly name = 'TypeScriptError'
}

let registering: Promise<void> | undefined

/**
 * Registers tsx if the folder holds TypeScript and nothing in this process runs that yet: Node does
 * from 22.18 on. Call it before the import. The framework is loaded by then, and a project of
 * JavaScript needs none of it: tsx resolves every later import in a thread of its own.
 * @throws TypeScriptError
 */
export async function supportTypeScript(folder: string): Promise<void> {
  if (runsTypeScript() || !(await holdsTypeScript(folder))) return
  registering ??= registerTsx()
  await registering
}

/** Node itself, or what this very file was started with. */
function runsTypeScript(): boolean {
  const { typescript = false } = process.features as { readonly typescript?: string | false }
  return typescript !== false || CODE.test(import.meta.filename)
}

async function registerTsx(): Promise<void> {
  try {
    const { register } = await import('tsx/esm/api')
    register()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error
    const { node } = process.versions
    throw new TypeScriptError(`Node ${node} needs tsx to run TypeScript: npm install tsx`, {
      cause: error,
    })
  }
}

/** False for a folder that cannot be read: what imports from it says so. */
async function holdsTypeScript(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  if (entries.some(({ name }) => CODE.test(name) && !DECLARATIONS.test(name))) return true
  for (const entry of entries) {
    const isOthers = entry.name === 'node_modules' || entry.name.startsWith('.')
    if (entry.isDirectory() && !isOthers && (await holdsTypeScript(join(folder, entry.name)))) {
      return true
    }
  }
  return false
}
