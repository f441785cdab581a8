/** The server's declaration: name, title and options. */

import { defineServer } from './mcp.ts'

export default defineServer({
  name: 'mcp-template',
  title: 'MCP Template',
})
