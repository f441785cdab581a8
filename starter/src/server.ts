/** The server: what clients and people see of it. */

import { defineServer } from './mcp.ts'

export default defineServer({
  name: 'mcp-template',
  title: 'MCP Template',
})
