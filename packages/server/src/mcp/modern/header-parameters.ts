/** Tools with parameters that are repeated in headers of their own (SEP-2243, "Custom Headers"). */

import type { Catalog } from '../../engine/discover.ts'

const DECLARATION = '"x-mcp-header"'

/** The names of those tools, for which the SDK compares headers and arguments. */
export function toolsWithHeaders({ tools }: Catalog): ReadonlySet<string> {
  const found = [...tools].filter(([, { inputSchema }]) =>
    JSON.stringify(inputSchema).includes(DECLARATION),
  )
  return new Set(found.map(([name]) => name))
}
