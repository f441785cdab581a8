/** Content that clients would refuse is not sent; the log has the reason. */

import { expect, it } from 'vitest'
import { z } from 'zod'
import { answer, defineContentTool, definePrompt, defineTool } from '../../src/engine/index.ts'
import { callTool, getPrompt } from '../../src/testing/index.ts'

const input = z.object({})
const as = (value: unknown) => value as never

it.each<[content: unknown, fault: string]>([
  ['hello', 'must be a list of blocks'],
  [undefined, 'must be a list of blocks'],
  [{ type: 'text', text: 'x' }, 'must be a list of blocks'],
  [['x'], 'content[0] must be a content block'],
  [
    [{ type: 'text', text: 'x' }, { type: 'picture' }],
    'content[1].type must be one of text, image',
  ],
  [[{ type: 'image', data: 'AA==' }], 'content[0].mimeType must be a string'],
  [[{ type: 'text', text: 5 }], 'content[0].text must be a string'],
  [[{ type: 'resource', resource: { uri: 'a:b' } }], 'content[0].resource must have a uri'],
  [[{ type: 'image', data: 'data:image/png;base64,AA==', mimeType: 'a/b' }], 'content[0]: data: '],
  [[{ type: 'audio', data: 'a_-b', mimeType: 'audio/wav' }], 'content[0]: data: '],
  [[{ type: 'resource', resource: { uri: 'a:b', blob: 'é' } }], 'content[0]: resource'],
  [[{ type: 'text', text: '', annotations: { audience: ['model'] } }], 'annotations.audience[0]'],
  [[{ type: 'text', text: '', annotations: { priority: 5 } }], 'content[0]: annotations.priority'],
  [[{ type: 'text', text: '', _meta: 'x' }], 'content[0]: _meta'],
  [[{ type: 'resource_link', uri: 'a:b', name: 'b', size: 'big' }], 'content[0]: size'],
])('refuses %o as content', async (content, fault) => {
  const common = { name: 'show', description: 'Shows.', input }
  const tools = [
    defineContentTool({ ...common, run: async () => as(content) }),
    ...(Array.isArray(content)
      ? [
          defineTool({
            ...{ ...common, output: z.string() },
            run: async () => answer({ data: 'x', content: as(content) }),
          }),
        ]
      : []),
  ]
  for (const tool of tools) {
    const { code, log } = await callTool(as(tool), {})
    expect([code, JSON.stringify(log)]).toEqual(['invalid_output', expect.stringContaining(fault)])
  }
})

it.each<[messages: unknown]>([
  [undefined],
  [[{ role: 'system', content: { type: 'text', text: 'x' } }]],
  [[{ role: 'user', content: 'x' }]],
  [[{ role: 'user', content: { type: 'image', data: '%', mimeType: 'image/png' } }]],
])('refuses %o as a prompt', async (messages) => {
  const prompt = definePrompt({
    ...{ name: 'ask', description: 'Asks.', arguments: input, render: () => as(messages) },
  })
  await expect(getPrompt(prompt, {})).rejects.toMatchObject({ data: { code: 'invalid_output' } })
})

it('sends every kind of block', async () => {
  const blocks = [
    { type: 'text', text: '' },
    { type: 'image', data: '', mimeType: 'image/png' },
    { type: 'audio', data: '', mimeType: 'audio/wav' },
    { type: 'resource_link', uri: 'a:b', name: 'b' },
    { type: 'resource', resource: { uri: 'a:b', blob: '' } },
  ]
  const show = defineContentTool({
    ...{ name: 'show', description: 'Shows.', input, run: async () => as(blocks) },
  })
  expect((await callTool(show, {})).content).toEqual(blocks)
})
