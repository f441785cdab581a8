/** `test_input_required_result_list_roots`: asks for the roots of the client. */

import { z } from 'zod'
import { defineContentTool, roots } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_input_required_result_list_roots',
  description: 'Asks for the roots of the client.',
  input: z.object({}),
  async run({ ask }) {
    const { client_roots: folders } = await ask({ client_roots: roots() })
    return [{ type: 'text', text: folders.map(({ uri }) => uri).join('\n') }]
  },
})
