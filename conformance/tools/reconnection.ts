/** `test_reconnection`: hangs up, and answers when the client has come back. */

import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_reconnection',
  description: 'Hangs up before it answers.',
  input: z.object({}),
  async run({ client }) {
    await client.closeStream()
    await delay(100)
    return [{ type: 'text', text: 'The client came back for this.' }]
  },
})
