/** The official SDK as its documentation shows it: a server is built for each request. */

import { createServer } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { DESCRIPTION, PORT, TOOL_NAMES } from './arguments.mjs'

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'bench', version: '1.0.0' })
  for (const name of TOOL_NAMES) {
    server.registerTool(
      name,
      {
        description: DESCRIPTION,
        inputSchema: z.object({ text: z.string() }),
        outputSchema: z.object({ text: z.string() }),
      },
      async ({ text }) => {
        const structuredContent = { text }
        return {
          content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
          structuredContent,
        }
      },
    )
  }
  return server
})

createServer(toNodeHandler(handler)).listen(PORT, '127.0.0.1')
