/** fastmcp with the streamable transport, in its stateless mode. */

import { FastMCP } from 'fastmcp'
import { z } from 'zod'
import { DESCRIPTION, PORT, TOOL_NAMES } from './arguments.mjs'

const server = new FastMCP({ name: 'bench', version: '1.0.0' })

for (const name of TOOL_NAMES) {
  server.addTool({
    name,
    description: DESCRIPTION,
    parameters: z.object({ text: z.string() }),
    execute: async ({ text }) => JSON.stringify({ text }),
  })
}

await server.start({
  transportType: 'httpStream',
  httpStream: { port: PORT, host: '127.0.0.1', stateless: true },
})
