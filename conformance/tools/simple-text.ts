/** `test_simple_text`: answers with text. */

import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_simple_text',
  description: 'Answers with text.',
  input: z.object({}),
  async run() {
    return [{ type: 'text', text: 'This is a simple text response for testing.' }]
  },
})
