/** Size of the tool list in a model's context, and tools that known clients refuse. */

import type { CompiledTool } from './compile-tool.ts'
import type { Catalog } from './discover.ts'
import { refusedIn } from './refused-schemas.ts'

/** In bytes of JSON; about four bytes per token. */
const LARGE_TOOL = 10_000
const LARGE_LIST = 100_000
/** In bytes of JSON; claude.ai drops tools with larger input schemas, without a message. */
const LARGEST_INPUT_SCHEMA = 16_384

/** Tool names that the APIs of Anthropic and OpenAI accept. */
const USUAL_NAME = /^[\w-]{1,64}$/

/** Size of each tool in `tools/list`, by name, in bytes of JSON. */
export function toolSizes({ tools }: Pick<Catalog, 'tools'>): ReadonlyMap<string, number> {
  return new Map([...tools].map(([name, tool]) => [name, sizeOf(tool)]))
}

/** Measures the listing for callers without a token, which has the argument `session`. */
function sizeOf({ definition, anonymousInputSchema, output }: CompiledTool): number {
  const { name, title, description, annotations, icons, meta } = definition
  const listed = {
    ...{ name, title, description, annotations, icons },
    ...{ inputSchema: anonymousInputSchema, outputSchema: output?.jsonSchema, _meta: meta },
  }
  return Buffer.byteLength(JSON.stringify(listed))
}

/** A compatibility problem with clients or models; does not prevent startup. */
export interface CatalogWarning {
  /** Stable, for programs. */
  readonly code: string
  readonly message: string
}

/** Warnings for the author about the list of tools. */
export function catalogWarnings(catalog: Pick<Catalog, 'tools'>): readonly CatalogWarning[] {
  const sizes = [...toolSizes(catalog)]
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0)
  const odd = sizes.filter(([name]) => !USUAL_NAME.test(name)).map(([name]) => name)
  const large = sizes.filter(([, bytes]) => bytes > LARGE_TOOL)
  return [
    ...(odd.length > 0 ? [oddNames(odd)] : []),
    ...[...catalog.tools].flatMap(([name, tool]) => oddSchema(name, tool)),
    ...[...catalog.tools].flatMap(([name, tool]) => largeSchema(name, tool)),
    ...large.map(([name, bytes]) => ({
      code: 'tool_large',
      message: `tool "${name}" takes ${bytes} bytes of tools/list: shorten its descriptions and schemas`,
    })),
    ...(total > LARGE_LIST ? [largeList(total)] : []),
  ]
}

function oddNames(names: readonly string[]): CatalogWarning {
  const message = `Some clients refuse names of tools with dots or of more than 64 characters: ${names.join(', ')}`
  return { code: 'tool_name', message }
}

function oddSchema(name: string, { inputSchema }: CompiledTool): readonly CatalogWarning[] {
  const refused = refusedIn(inputSchema)
  if (refused === undefined) return []
  const message = `Some clients drop tool "${name}", or all tools, for ${refused} of its input schema: state the rule in a description, and check it in run`
  return [{ code: 'tool_schema', message }]
}

function largeSchema(
  name: string,
  { anonymousInputSchema }: CompiledTool,
): readonly CatalogWarning[] {
  const bytes = Buffer.byteLength(JSON.stringify(anonymousInputSchema))
  if (bytes <= LARGEST_INPUT_SCHEMA) return []
  const message = `Some clients drop tool "${name}": its input schema has ${bytes} bytes, more than ${LARGEST_INPUT_SCHEMA}; shorten it, or split the tool`
  return [{ code: 'tool_schema_large', message }]
}

function largeList(bytes: number): CatalogWarning {
  const message = `tools/list takes ${bytes} bytes, more than ${LARGE_LIST}: models choose worse from long lists; mcp-template tools shows the size of each`
  return { code: 'tool_list_large', message }
}
