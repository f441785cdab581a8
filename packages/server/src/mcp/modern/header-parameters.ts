/** Tools whose parameters are mirrored in request headers (SEP-2243, "Custom Headers"). */

import type { Catalog } from '../../engine/discover.ts'

const DECLARATION = '"x-mcp-header"'

/** The names of those tools; the SDK compares their headers with the arguments. */
export function toolsWithHeaders({ tools }: Catalog): ReadonlySet<string> {
  const found = [...tools].filter(([, { inputSchema }]) =>
    JSON.stringify(inputSchema).includes(DECLARATION),
  )
  return new Set(found.map(([name]) => name))
}
