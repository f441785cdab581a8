/**
 * `test_input_required_result_tampered_state`: asks for a confirmation; the state that it sent to the client
 * must be returned unchanged.
 */

import { z } from 'zod'
import { defineContentTool, form } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_input_required_result_tampered_state',
  description: 'Asks for a confirmation.',
  input: z.object({}),
  async run({ ask }) {
    const { confirm } = await ask({
      confirm: form('Please confirm', z.object({ ok: z.boolean() })),
    })
    return [{ type: 'text', text: confirm.action }]
  },
})
