/** `attachment_add` and `attachment_show`: upload and download of a picture. */

import { callTool } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import { createTicketApi } from '../../test/ticket-api.ts'
import add from './attachment-add.ts'
import show from './attachment-show.ts'

const PNG = Buffer.from('\x89PNG a picture', 'latin1').toString('base64')
const options = () => ({ signedInAs: { sub: 'ada' }, upstream: createTicketApi().answers })

test('sends a picture, and returns it', async () => {
  const api = options()
  const added = await callTool(add, { id: 'eu-1', name: 'fire.png', png: PNG }, api)
  expect(added.structuredContent).toEqual({ name: 'fire.png', bytes: 14 })
  const shown = await callTool(show, { id: 'eu-1', name: 'fire.png' }, api)
  expect(shown.content).toEqual([{ type: 'image', data: PNG, mimeType: 'image/png' }])
})

test('reports the fault of a file', async () => {
  const result = await callTool(add, { id: 'eu-1', name: 'fire.png', png: 'AAAA' }, options())
  expect(result.text).toBe('file: is no PNG picture')
})

test('reports an unknown picture', async () => {
  const result = await callTool(show, { id: 'eu-1', name: 'none.png' }, options())
  expect(result.code).toBe('upstream_not_found')
})
