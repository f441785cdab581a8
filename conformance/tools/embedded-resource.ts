/** `test_embedded_resource`: answers with a resource. */

import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_embedded_resource',
  description: 'Answers with a resource.',
  input: z.object({}),
  async run() {
    const resource = {
      uri: 'test://embedded-resource',
      mimeType: 'text/plain',
      text: 'This is an embedded resource content.',
    }
    return [{ type: 'resource', resource }]
  },
})
