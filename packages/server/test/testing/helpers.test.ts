/** The test helpers for content tools, resources and prompts. */

import { AssertionError } from 'node:assert'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineContentTool, definePrompt, defineResource, form } from '../../src/index.ts'
import { callTool, expectNoLeak, getPrompt, readResource } from '../../src/testing/index.ts'
import summary from '../fixtures/bank/prompts/account-summary.ts'
import branches from '../fixtures/bank/resources/branches.ts'

describe('a content tool', () => {
  const picture = defineContentTool({
    name: 'picture',
    description: 'A picture.',
    input: z.object({}),
    run: async () => [
      { type: 'text', text: 'A mill' },
      { type: 'image', data: 'c2VjcmV0LXZhbHVl', mimeType: 'image/png' },
    ],
  })

  it('returns all parts of its answer', async () => {
    const { content, text } = await callTool(picture, {})
    expect(content).toEqual([
      { type: 'text', text: 'A mill' },
      { type: 'image', data: 'c2VjcmV0LXZhbHVl', mimeType: 'image/png' },
    ])
    expect(text).toContain('A mill')
  })

  it('is searched for secrets in every part', async () => {
    const result = await callTool(picture, {})
    expect(() => expectNoLeak(result, ['secret-value'])).toThrow(AssertionError)
    expectNoLeak(result, ['another-value'])
  })
})

describe('a resource', () => {
  it('is read with a URI of its template', async () => {
    const { text, mimeType, uri } = await readResource(branches, 'bank://branches/lyon')
    expect(JSON.parse(text ?? '')).toMatchObject({ city: 'lyon', address: '3 rue Jacquard' })
    expect({ mimeType, uri }).toEqual({ mimeType: 'application/json', uri: 'bank://branches/lyon' })
  })

  it('is read with its own URI, bytes included', async () => {
    const logo = defineResource({
      name: 'logo',
      uri: 'acme://logo',
      mimeType: 'image/png',
      read: async () => ({ blob: 'AAAA' }),
    })
    expect(await readResource(logo)).toMatchObject({ blob: 'AAAA', text: undefined })
  })

  it.each([undefined, 'bank://other/lyon'])('refuses %s, which is not a URI of it', async (uri) => {
    await expect(readResource(branches, uri)).rejects.toThrow(
      'does not match the resource branches',
    )
  })

  it('fails as `read` fails', async () => {
    await expect(readResource(branches, 'bank://branches/atlantis')).rejects.toThrow('atlantis')
  })
})

describe('a prompt', () => {
  it('is rendered as a message of the user', async () => {
    const { messages, text } = await getPrompt(summary, { audience: 'beginner' })
    expect(text).toContain('a reader who is: beginner')
    expect(messages).toMatchObject([{ role: 'user', content: { type: 'text' } }])
  })

  it('refuses invalid arguments', async () => {
    const audience = 'x'.repeat(41)
    await expect(getPrompt(summary, { audience })).rejects.toThrow('audience')
  })

  const asking = definePrompt({
    name: 'greet',
    description: 'Greets.',
    arguments: z.object({}),
    async render(_, { ask }) {
      const { who } = await ask({ who: form('Who is it?', z.object({ name: z.string() })) })
      return who.action === 'accept' ? `Greet ${who.content.name}` : 'Greet nobody'
    },
  })

  it('asks its questions', async () => {
    const answers = { who: { action: 'accept', content: { name: 'Ada' } } } as const
    const { text, questions } = await getPrompt(asking, {}, { answers })
    expect({ text, questions }).toEqual({ text: 'Greet Ada', questions: ['Who is it?'] })
  })

  it('names a question that the test does not answer', async () => {
    await expect(getPrompt(asking, {})).rejects.toThrow('no answer for: who')
  })
})
