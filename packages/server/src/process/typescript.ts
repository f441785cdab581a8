/** Enables imports of a project's TypeScript on Node versions without type stripping. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

const CODE = /\.[cm]?ts$/
const DECLARATIONS = /\.d\.[cm]?ts$/

/** No TypeScript loader is available; the message says what to install. */
export class TypeScriptError extends Error {
  override readonly name = 'TypeScriptError'
}

let registering: Promise<void> | undefined

/**
 * Registers tsx if the folder contains TypeScript and the process cannot run it yet; Node can from
 * 22.18 on. Call before importing the project. tsx resolves and reads every later import in a
 * separate thread, a cost that a JavaScript project avoids.
 * @param importFramework imports what is needed later anyway, before tsx makes it more expensive
 * @throws TypeScriptError
 */
export async function supportTypeScript(
  folder: string,
  importFramework: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  if (runsTypeScript() || !(await holdsTypeScript(folder))) return
  registering ??= importFramework().then(registerTsx)
  await registering
}

/** Whether Node strips types, or a loader already runs this file as TypeScript. */
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

/** False for an unreadable folder: the later import reports the error. */
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
