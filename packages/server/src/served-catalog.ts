/** Adapts the catalog to the configured upstreams. */

import type { Config } from './config.ts'
import { compileTool } from './engine/compile-tool.ts'
import { declaredBy } from './engine/define-services.ts'
import { type AnyTool, loginsOf } from './engine/define-tool.ts'
import { type Catalog, DiscoveryError } from './engine/discover.ts'
import login, { loginTool } from './tools/login.ts'
import session, { sessionTool } from './tools/session.ts'

/**
 * Validates the upstreams that tools name, and compiles the session tools for the upstreams with
 * sign-in: with several, `login` takes an upstream's name; with none, `login` is removed.
 * @throws DiscoveryError that names tool and upstream
 */
export function catalogFor(
  catalog: Catalog,
  { upstream, furtherUpstreams = [] }: Pick<Config, 'upstream' | 'furtherUpstreams'>,
): Catalog {
  const first = { kind: upstream.kind, name: upstream.kind === 'demo' ? 'demo' : upstream.name }
  const all = [first, ...furtherUpstreams]
  const names = all.filter(({ kind }) => kind !== 'operator').map(({ name }) => name)
  const tools = [...catalog.tools.values()]
  const faults = [
    ...tools.flatMap(({ definition }) => loginFaults(definition, first.name, all, names)),
    ...unnamedUpstreams(catalog, all),
  ]
  if (faults.length > 0) throw new DiscoveryError(faults)
  if (names.length === 1) return catalog
  const served = tools.flatMap((tool) => {
    if (tool.definition === login) return names.length === 0 ? [] : [compileTool(loginTool(names))]
    if (tool.definition === session && names.length > 0) return [compileTool(sessionTool(names))]
    return [tool]
  })
  return { ...catalog, tools: new Map(served.map((tool) => [tool.definition.name, tool])) }
}

/** The upstreams that `createMcp` names and the configuration does not; each once. */
function unnamedUpstreams(
  { tools, resources, prompts }: Catalog,
  all: readonly { readonly name: string }[],
): readonly string[] {
  const declared = [...tools.values(), ...resources, ...prompts].map(({ definition }) => definition)
  const typed = new Set(declared.flatMap((each) => declaredBy(each)?.upstreams ?? []))
  for (const { name } of all) typed.delete(name)
  return [...typed].map((upstream) => {
    const variables = `UPSTREAM_${upstream.toUpperCase().replaceAll('-', '_')}_…`
    return `src/mcp.ts: createMcp names the upstream "${upstream}", which UPSTREAMS does not name: add it there, and set its variables (${variables})`
  })
}

function loginFaults(
  definition: AnyTool,
  first: string,
  all: readonly { readonly name: string }[],
  signInAt: readonly string[],
): readonly string[] {
  const { name: tool, requires } = definition
  return loginsOf(requires)
    .map((upstream = first) => upstream)
    .filter((upstream) => !signInAt.includes(upstream))
    .map((upstream) => {
      const why = all.some(({ name }) => name === upstream)
        ? 'at which nobody signs in (UPSTREAM_AUTH=none)'
        : `which UPSTREAMS does not name; there is ${all.map(({ name }) => name).join(', ')}`
      return `tool ${tool}: requires.login names the upstream "${upstream}", ${why}`
    })
}
