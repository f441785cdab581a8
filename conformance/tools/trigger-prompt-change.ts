/** `test_trigger_prompt_change`: tells everybody that the list of prompts has changed. */

import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_trigger_prompt_change',
  description: 'Tells everybody that the list of prompts has changed.',
  input: z.object({}),
  async run({ announce }) {
    announce.promptsChanged()
    return [{ type: 'text', text: 'Announced.' }]
  },
})
