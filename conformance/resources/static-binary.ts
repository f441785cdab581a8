/** `test://static-binary`: an image. */

import { defineResource } from '../../packages/server/src/engine/index.ts'
import { PIXEL_PNG } from '../samples.ts'

export default defineResource({
  name: 'static-binary',
  description: 'An image that never changes.',
  mimeType: 'image/png',
  uri: 'test://static-binary',
  async read() {
    return { blob: PIXEL_PNG }
  },
})
