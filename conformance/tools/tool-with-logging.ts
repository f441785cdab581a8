/** `test_tool_with_logging`: logs to the client, three times. */

import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_tool_with_logging',
  description: 'Logs to the client, three times.',
  input: z.object({}),
  async run({ client }) {
    await client.log('info', 'Tool execution started')
    await delay(50)
    await client.log('info', 'Tool processing data')
    await delay(50)
    await client.log('info', 'Tool execution completed')
    return [{ type: 'text', text: 'Logged three times.' }]
  },
})
