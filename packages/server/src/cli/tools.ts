/** `mcp-template tools`: prints how much each tool adds to `tools/list`, the largest first. */

import { catalogWarnings, toolSizes } from '../engine/tool-sizes.ts'
import { loadCatalog, openProject } from '../project.ts'
import { readCommandLine, UsageError } from './command-line.ts'

/**
 * Prints the sizes in bytes of JSON; opens nothing. Warnings go to standard error.
 * @throws DiscoveryError for a catalog that does not load
 */
export async function printTools(args: readonly string[]): Promise<void> {
  const line = readCommandLine(args)
  if (line.positionals.length > 0) {
    throw new UsageError(`Unexpected argument "${line.positionals.join(' ')}".`)
  }
  const catalog = await loadCatalog(await openProject(line.project))
  for (const { message } of catalogWarnings(catalog)) process.stderr.write(`Warning: ${message}\n`)
  const sizes = [...toolSizes(catalog)].sort(([, one], [, other]) => other - one)
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0)
  const rows = [...sizes, ['all', total] as const].map(
    ([name, bytes]) => `${String(bytes).padStart(9)}  ${name}`,
  )
  // An open handle of a loaded file must not keep the process alive.
  process.stdout.write(`${['    bytes  tool', ...rows].join('\n')}\n`, () => process.exit(0))
}
