/** The server: what clients and people see of it. */

import { defineServer } from '@mcp-template/server'

export default defineServer({
  name: 'mcp-template',
  title: 'MCP Template',
})
