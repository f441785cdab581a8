/** `test://template/{id}/data`: one of many, by its number. */

import { defineResource } from '../../packages/server/src/engine/index.ts'

export default defineResource({
  name: 'template',
  description: 'Data by its number.',
  mimeType: 'application/json',
  uri: 'test://template/{id}/data',
  async read({ variables: { id } }) {
    return JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
  },
})
