/** `test_streaming_elicitation`: reports progress, then asks. */

import { z } from 'zod'
import { defineContentTool, form } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_streaming_elicitation',
  description: 'Reports progress, then asks.',
  input: z.object({}),
  async run({ ask, progress }) {
    await progress(1, 2)
    const { confirm } = await ask({
      confirm: form('Please confirm', z.object({ ok: z.boolean() })),
    })
    return [{ type: 'text', text: confirm.action }]
  },
})
