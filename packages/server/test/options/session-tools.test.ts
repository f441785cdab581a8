/** `sessionTools`: without it they are neither listed nor callable, nor shown on the page. */

import { expect, test } from 'vitest'
import { postModern, read } from '../support/wire.ts'
import { pageOf, serve } from './served.ts'

test('false leaves the tools of the project', async () => {
  const app = await serve({ sessionTools: false })
  const { message } = await read(postModern(app.url, 'tools/list'))
  const { tools } = message.result as { tools: { name: string }[] }
  expect(tools.map(({ name }) => name)).toEqual(['service'])
  const called = await read(postModern(app.url, 'tools/call', { name: 'logout', arguments: {} }))
  expect(called.message.error?.message).toContain('nknown tool')
  const refused = await read(postModern(app.url, 'tools/call', { name: 'service', arguments: {} }))
  const { content } = refused.message.result as { content: { text: string }[] }
  expect(content[0]?.text).toContain('URL elicitation')
  expect(content[0]?.text).not.toContain('`login`')
  expect((await pageOf(app)).text).not.toMatch(/<code>(login|logout|session)<\/code>/)
})
