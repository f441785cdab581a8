/** `test_input_required_result_elicitation`: asks for a name. */

import { z } from 'zod'
import { defineContentTool, form } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_input_required_result_elicitation',
  description: 'Asks for a name.',
  input: z.object({}),
  async run({ ask }) {
    const { user_name: answer } = await ask({
      user_name: form('What is your name?', z.object({ name: z.string() })),
    })
    const name = answer.action === 'accept' ? answer.content.name : 'stranger'
    return [{ type: 'text', text: `Hello, ${name}!` }]
  },
})
