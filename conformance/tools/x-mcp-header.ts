/** `test_x_mcp_header`: takes an argument that clients repeat in a header. */

import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_x_mcp_header',
  description: 'Takes an argument that clients repeat in a header.',
  input: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
  async run({ input }) {
    return [{ type: 'text', text: `The region is ${input.region}.` }]
  },
})
