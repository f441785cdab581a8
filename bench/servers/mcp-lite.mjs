/** mcp-lite on Hono, as its documentation shows it: no session, no state. */

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { McpServer, StreamableHttpTransport } from 'mcp-lite'
import { z } from 'zod'
import { DESCRIPTION, PORT, TOOL_NAMES } from './arguments.mjs'

const mcp = new McpServer({
  name: 'bench',
  version: '1.0.0',
  schemaAdapter: (schema) => z.toJSONSchema(schema),
})

for (const name of TOOL_NAMES) {
  mcp.tool(name, {
    description: DESCRIPTION,
    inputSchema: z.object({ text: z.string() }),
    outputSchema: z.object({ text: z.string() }),
    handler: ({ text }) => {
      const structuredContent = { text }
      return {
        content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
        structuredContent,
      }
    },
  })
}

const handle = new StreamableHttpTransport().bind(mcp)
const app = new Hono()
app.all('/mcp', (c) => handle(c.req.raw))
serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
