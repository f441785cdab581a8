/** `test_simple_prompt`: one text. */

import { z } from 'zod'
import { definePrompt } from '../../packages/server/src/engine/index.ts'

export default definePrompt({
  name: 'test_simple_prompt',
  description: 'One text.',
  arguments: z.object({}),
  render: () => 'This is a simple prompt for testing.',
})
