/** Upstreams that `createMcp` names and the configuration does not are reported once. */

import { expect, it } from 'vitest'
import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import { compileResource } from '../../src/engine/compile-resource.ts'
import { compileTool } from '../../src/engine/compile-tool.ts'
import type { AnyResource } from '../../src/engine/define-resource.ts'
import type { AnyTool } from '../../src/engine/define-tool.ts'
import { catalogFor } from '../../src/served-catalog.ts'

const { defineTool, defineResource } = createMcp({ upstreams: ['tickets', 'ship-ping'] })
const tool = (name: string) =>
  defineTool({
    ...{ name, description: 'Does.', input: z.object({}), output: z.object({}) },
    run: async () => ({}),
  }) as AnyTool
const resource = defineResource({ name: 'r', uri: 'a:b', read: async () => 'x' }) as AnyResource

const upstream = { kind: 'operator', name: 'tickets' } as never
const FAULT =
  'Cannot load:\n  - src/mcp.ts: createMcp names the upstream "ship-ping", which UPSTREAMS does not name: add it there, and set its variables (UPSTREAM_SHIP_PING_…)'

it.each([
  { tools: [tool('a'), tool('b')], resources: [] },
  { tools: [], resources: [resource] },
])('of tools or resources: %#', ({ tools, resources }) => {
  const catalog = {
    tools: new Map(tools.map((each) => [each.name, compileTool(each)])),
    resources: resources.map(compileResource),
    ...{ prompts: [], skipped: [] },
  }
  const served = () => catalogFor(catalog, { upstream, furtherUpstreams: [] })
  expect(served).toThrow(FAULT)
})
