/** `test_image_content`: answers with an image. */

import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'
import { PIXEL_PNG } from '../samples.ts'

export default defineContentTool({
  name: 'test_image_content',
  description: 'Answers with an image.',
  input: z.object({}),
  async run() {
    return [{ type: 'image', data: PIXEL_PNG, mimeType: 'image/png' }]
  },
})
