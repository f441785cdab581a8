/** The server of the conformance suite: its fixtures, and nothing else. */

import { defineServer } from '@mcp-template/server'

export default defineServer({
  name: 'mcp-template-conformance',
  title: 'MCP Template',
  sessionTools: false,
})
