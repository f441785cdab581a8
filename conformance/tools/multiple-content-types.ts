/** `test_multiple_content_types`: answers with a text, an image and a resource. */

import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'
import { PIXEL_PNG } from '../samples.ts'

export default defineContentTool({
  name: 'test_multiple_content_types',
  description: 'Answers with a text, an image and a resource.',
  input: z.object({}),
  async run() {
    const resource = {
      uri: 'test://mixed-content-resource',
      mimeType: 'application/json',
      text: JSON.stringify({ test: 'data', value: 123 }),
    }
    return [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: PIXEL_PNG, mimeType: 'image/png' },
      { type: 'resource', resource },
    ]
  },
})
