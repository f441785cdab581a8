/** SDK extensions of a server: additional methods and resources. */

import { join } from 'node:path'
import type { McpServer } from '@modelcontextprotocol/server'
import type { SkillCatalog } from '@modelcontextprotocol/server/ext/skills'
import { listDeclarations } from './declaration-files.ts'

/** An extension, such as those of `@modelcontextprotocol/server/ext/…`. */
export interface ServerExtension {
  /**
   * Adds methods, resources and capabilities to an `McpServer` before it connects. Runs for every
   * `McpServer` that the framework creates: several per process, some for a single request. Tools
   * come only from `src/tools/`.
   */
  attach(server: McpServer): void
}

/**
 * Loads the skills below a folder, each a folder with a `SKILL.md` (SEP-2640). Undefined if there
 * are none. Adds their faults to `faults`, by file.
 */
export async function loadSkills(
  directory: string,
  faults: string[],
): Promise<SkillCatalog | undefined> {
  const folder = join(directory, 'skills')
  if (((await listDeclarations(folder)) ?? []).length === 0) return undefined
  // Lazy import: most servers have no skills.
  const { SkillCatalogError } = await import('@modelcontextprotocol/server/ext/skills')
  const skills = await import('@modelcontextprotocol/server/ext/skills/node')
  try {
    const catalog = await skills.loadSkills(folder, {
      strict: true,
      // Skills change only with a deployment.
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
