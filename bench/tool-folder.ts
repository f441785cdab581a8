/** Generates a folder of tools for the server, with `echo` among them, and a JavaScript project. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Inside the project, so that the tools can resolve its packages. */
const ROOT = join(import.meta.dirname, '../artifacts/bench')

/** Writes the folder and returns the value of TOOLS_DIR. */
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

/** Writes a project with the starter's declaration in JavaScript, and returns its folder. */
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
  description: 'Returns its text.',
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  run: async ({ input }) => ({ text: input.text }),
})
`
}
