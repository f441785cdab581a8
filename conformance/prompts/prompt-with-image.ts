/** `test_prompt_with_image`: an image and what to do with it. */

import { z } from 'zod'
import { definePrompt } from '../../packages/server/src/engine/index.ts'
import { PIXEL_PNG } from '../samples.ts'

export default definePrompt({
  name: 'test_prompt_with_image',
  description: 'An image and what to do with it.',
  arguments: z.object({}),
  render: () => [
    { role: 'user', content: { type: 'image', data: PIXEL_PNG, mimeType: 'image/png' } },
    { role: 'user', content: { type: 'text', text: 'Please analyze the image above.' } },
  ],
})
