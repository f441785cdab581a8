/** `test_input_required_result_multi_round`: asks a second question after the first. */

import { z } from 'zod'
import { defineContentTool, form } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_input_required_result_multi_round',
  description: 'Asks a second question after the first.',
  input: z.object({}),
  async run({ ask }) {
    const { step1 } = await ask({
      step1: form('Step 1: What is your name?', z.object({ name: z.string() })),
    })
    const { step2 } = await ask({
      step2: form('Step 2: What is your favorite color?', z.object({ color: z.string() })),
    })
    return [{ type: 'text', text: JSON.stringify({ step1, step2 }) }]
  },
})
