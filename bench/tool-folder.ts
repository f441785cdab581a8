/** What the server loads: a folder of tools, `echo` among so many, and a project of JavaScript. */

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

/** Writes a project that is the starter's declaration in JavaScript, and gives its folder. */
export function writeJavaScriptProject(): string {
  const folder = join(ROOT, 'project')
  mkdirSync(join(folder, 'src'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "version": "1.0.0" }\n')
  writeFileSync(
    join(folder, 'src/server.js'),
    "import { defineServer } from '@mcp-template/server'\n\nexport default defineServer({ name: 'bench' })\n",
  )
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
