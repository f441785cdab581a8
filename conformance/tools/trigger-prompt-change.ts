/** `test_trigger_prompt_change`: notifies all clients that the list of prompts has changed. */

import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_trigger_prompt_change',
  description: 'Notifies all clients that the list of prompts has changed.',
  input: z.object({}),
  async run({ announce }) {
    announce.promptsChanged()
    return [{ type: 'text', text: 'Announced.' }]
  },
})
