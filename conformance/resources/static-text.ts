/** `test://static-text`: a text. */

import { defineResource } from '../../packages/server/src/engine/index.ts'

export default defineResource({
  name: 'static-text',
  description: 'A text that never changes.',
  mimeType: 'text/plain',
  uri: 'test://static-text',
  async read() {
    return 'This is the content of the static text resource.'
  },
})
