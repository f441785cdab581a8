/** mcp-handler behind Hono, one of the frameworks its documentation names. */

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createMcpHandler } from 'mcp-handler'
import { z } from 'zod'
import { DESCRIPTION, PORT, TOOL_NAMES } from './arguments.mjs'

const handler = createMcpHandler((server) => {
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
})

const app = new Hono()
app.all('/mcp', (c) => handler(c.req.raw))
serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
