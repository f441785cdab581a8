/** `test_tool_with_progress`: reports progress three times. */

import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_tool_with_progress',
  description: 'Reports progress three times.',
  input: z.object({}),
  async run({ progress }) {
    await progress(0, 100)
    await delay(50)
    await progress(50, 100)
    await delay(50)
    await progress(100, 100)
    return [{ type: 'text', text: 'Reported progress three times.' }]
  },
})
