/** `test_trigger_tool_change`: notifies all clients that the list of tools has changed. */

import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_trigger_tool_change',
  description: 'Notifies all clients that the list of tools has changed.',
  input: z.object({}),
  async run({ announce }) {
    announce.toolsChanged()
    return [{ type: 'text', text: 'Announced.' }]
  },
})
