/** `test_prompt_with_embedded_resource`: a resource and what to do with it. */

import { z } from 'zod'
import { definePrompt } from '../../packages/server/src/engine/index.ts'

export default definePrompt({
  name: 'test_prompt_with_embedded_resource',
  description: 'A resource and what to do with it.',
  arguments: z.object({ resourceUri: z.string().describe('URI of the resource to embed') }),
  render: ({ resourceUri: uri }) => {
    const text = 'Embedded resource content for testing.'
    const resource = { uri, mimeType: 'text/plain', text }
    return [
      { role: 'user', content: { type: 'resource', resource } },
      {
        role: 'user',
        content: { type: 'text', text: 'Please process the embedded resource above.' },
      },
    ]
  },
})
