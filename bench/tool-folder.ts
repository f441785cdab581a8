/** A folder of tools for the server to load: `echo` among so many. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Inside the project, so that the tools find its packages. */
const ROOT = join(import.meta.dirname, '../artifacts/bench')

/** Writes the folder, and gives what belongs into TOOLS_DIR. */
export function writeTools(count: number): string {
  const folder = join(ROOT, `tools-${count}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'tools'), { recursive: true })
  for (let index = 0; index < count; index += 1) {
    const name = index === Math.floor(count / 2) ? 'echo' : `tool_${index}`
    writeFileSync(join(folder, 'tools', `${name}.js`), source(name))
  }
  return folder
}

function source(name: string): string {
  return `import { z } from 'zod'
import { defineTool } from '@mcp-template/server'

export default defineTool({
  name: ${JSON.stringify(name)},
  description: 'Says what it was told.',
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  run: async ({ input }) => ({ text: input.text }),
})
`
}
