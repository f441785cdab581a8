/** `test_logging_tool`: logs to the client if it has set a level. */

import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_logging_tool',
  description: 'Logs to the client if it has set a level.',
  input: z.object({}),
  async run({ client }) {
    await client.log('info', 'The tool runs')
    return [{ type: 'text', text: 'Logged what was wanted.' }]
  },
})
