/** `test://watched-resource`: a text that clients subscribe to. */

import { defineResource } from '../../packages/server/src/engine/index.ts'

export default defineResource({
  name: 'watched-resource',
  description: 'A text that clients may watch.',
  mimeType: 'text/plain',
  uri: 'test://watched-resource',
  async read() {
    return 'Watched content.'
  },
})
