/** Extensions of the SDK that a server has: methods and resources besides those of the framework. */

import { join } from 'node:path'
import type { McpServer } from '@modelcontextprotocol/server'
import type { SkillCatalog } from '@modelcontextprotocol/server/ext/skills'
import { listDeclarations } from './declaration-files.ts'

/** Such as those of `@modelcontextprotocol/server/ext/…`. */
export interface ServerExtension {
  /**
   * Adds methods, resources and capabilities to a server before it connects. Runs for each server that
   * the framework builds: several for a process, and some for one request only. Tools come from
   * `src/tools/` alone.
   */
  attach(server: McpServer): void
}

/**
 * Loads the skills below a folder, each a folder with a `SKILL.md` (SEP-2640). Undefined where there
 * are none. What is wrong with them is added to `faults`, by file.
 */
export async function loadSkills(
  directory: string,
  faults: string[],
): Promise<SkillCatalog | undefined> {
  const folder = join(directory, 'skills')
  if (((await listDeclarations(folder)) ?? []).length === 0) return undefined
  // Loaded only here: most servers have none.
  const { SkillCatalogError } = await import('@modelcontextprotocol/server/ext/skills')
  const skills = await import('@modelcontextprotocol/server/ext/skills/node')
  try {
    const catalog = await skills.loadSkills(folder, {
      strict: true,
      // They change with a deployment only.
      cacheHint: { ttlMs: 60_000, cacheScope: 'private' },
    })
    if (catalog.entries.length === 0) faults.push('skills: no folder in it has a SKILL.md')
    return catalog
  } catch (error) {
    if (!(error instanceof SkillCatalogError)) throw error
    for (const { path, message } of error.problems) faults.push(`skills/${path}: ${message}`)
    return undefined
  }
}
