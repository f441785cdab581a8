/** `test_reconnection`: closes the stream, and responds after the client has reconnected. */

import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_reconnection',
  description: 'Closes the stream before it responds.',
  input: z.object({}),
  async run({ client }) {
    await client.closeStream()
    await delay(100)
    return [{ type: 'text', text: 'The client came back for this.' }]
  },
})
