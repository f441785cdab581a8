/** `test_elicitation`: asks the user of the client. */

import { z } from 'zod'
import { defineContentTool, form } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_elicitation',
  description: 'Asks the people at the client.',
  input: z.object({ message: z.string() }),
  async run({ input, ask }) {
    const fields = z.object({
      username: z.string().describe("User's response"),
      email: z.string().describe("User's email address"),
    })
    const { answer } = await ask({ answer: form(input.message, fields) })
    return [{ type: 'text', text: `User response: ${JSON.stringify(answer)}` }]
  },
})
