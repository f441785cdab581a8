/** `test_input_required_result_multiple_inputs`: asks three kinds of questions at once. */

import { z } from 'zod'
import { defineContentTool, form, roots, sample } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_input_required_result_multiple_inputs',
  description: 'Asks three kinds of questions at once.',
  input: z.object({}),
  async run({ ask }) {
    const { user_name, greeting, client_roots } = await ask({
      user_name: form('What is your name?', z.object({ name: z.string() })),
      greeting: sample({
        messages: [{ role: 'user', content: { type: 'text', text: 'Generate a greeting' } }],
        maxTokens: 50,
      }),
      client_roots: roots(),
    })
    const said = { user_name, greeting: greeting.content, folders: client_roots.length }
    return [{ type: 'text', text: JSON.stringify(said) }]
  },
})
