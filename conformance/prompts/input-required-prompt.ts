/** `test_input_required_result_prompt`: asks before it returns messages. */

import { z } from 'zod'
import { definePrompt, form } from '../../packages/server/src/engine/index.ts'

export default definePrompt({
  name: 'test_input_required_result_prompt',
  description: 'Asks before it says anything.',
  arguments: z.object({}),
  async render(_input, { ask }) {
    const { user_context: answer } = await ask({
      user_context: form('What context should the prompt use?', z.object({ context: z.string() })),
    })
    return answer.action === 'accept' ? `Use this context: ${answer.content.context}` : 'Go on.'
  },
})
