/** The templates that `mcp-template new` writes. */

/**
 * The imports of a declaration, from the project's `mcp.ts` if there is one, such as `../mcp.ts`.
 */
function imports(define: string, mcp: string | undefined, more: readonly string[], zod: boolean) {
  const names = mcp === undefined ? [define, ...more] : more
  const lines = [
    ...(names.length > 0 ? [`import { ${names.join(', ')} } from '@mcp-template/server'`] : []),
    ...(zod ? ["import { z } from 'zod'"] : []),
    ...(mcp === undefined ? [] : [`import { ${define} } from '${mcp}'`]),
  ]
  return lines.join('\n')
}

/** The tool: an input, an output with a masked field, and a working `run`. */
export function toolTemplate(name: string, mcp?: string): string {
  return `/** \`${name}\`: says in one sentence what it does. */

${imports('defineTool', mcp, ['masked'], true)}

export default defineTool({
  name: '${name}',
  title: '${titleOf(name)}',
  description: 'Greets somebody. For the model: what it does, and when to use it.',
  input: z.object({
    name: z.string().min(1).max(100),
    phone: z.string().max(30).optional().describe('Comes back masked.'),
  }),
  output: z.object({
    greeting: z.string(),
    phone: masked(z.string(), { right: 2 }).optional(),
  }),
  // Add \`requires: { login: true }\` to call the upstream API as whoever signed in.
  annotations: { readOnlyHint: true },
  async run({ input: { name, phone }, log }) {
    log.info('greeting somebody')
    return { greeting: \`Hello, \${name}!\`, phone }
  },
})
`
}

/** The test of a tool: it works, refuses invalid input, and leaks no masked value. */
export function testTemplate(name: string): string {
  return `/** \`${name}\`: what its caller sees. */

import { callTool, expectNoLeak } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import tool from './${name}.ts'

test('greets by name', async () => {
  const result = await callTool(tool, { name: 'Ada' })
  expect(result.structuredContent).toEqual({ greeting: 'Hello, Ada!' })
})

test('shows no more of a phone number than its end', async () => {
  const result = await callTool(tool, { name: 'Ada', phone: '0123456789' })
  expect(result.structuredContent?.phone).toBe('********89')
  expectNoLeak(result, ['0123456789'])
})

test('refuses to greet nobody', async () => {
  const result = await callTool(tool, { name: '' })
  expect(result.code).toBe('invalid_arguments')
})
`
}

/** The resource: text at one fixed URI. */
export function resourceTemplate(name: string, mcp?: string): string {
  return `/** \`${name}\`: says in one sentence what it holds. */

${imports('defineResource', mcp, [], false)}

export default defineResource({
  name: '${name}',
  title: '${titleOf(name)}',
  description: 'Says hello. For the model: what it holds.',
  mimeType: 'text/plain',
  // Or a template, such as 'example://${name}/{id}': \`read\` is given its variables.
  uri: 'example://${name}',
  read: async () => 'Hello!',
})
`
}

/** The test of a resource: it can be read. */
export function resourceTestTemplate(name: string): string {
  return `/** \`${name}\`: what its reader sees. */

import { readResource } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import resource from './${name}.ts'

test('says hello', async () => {
  const { text, mimeType } = await readResource(resource)
  expect({ text, mimeType }).toEqual({ text: 'Hello!', mimeType: 'text/plain' })
})
`
}

/** The test of a prompt: its messages, and that it refuses invalid arguments. */
export function promptTestTemplate(name: string): string {
  return `/** \`${name}\`: what the model receives. */

import { getPrompt } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import prompt from './${name}.ts'

test('names the topic', async () => {
  const { text } = await getPrompt(prompt, { topic: 'compound interest' })
  expect(text).toContain('compound interest')
})

test('refuses a topic that is too long', async () => {
  await expect(getPrompt(prompt, { topic: 'x'.repeat(101) })).rejects.toThrow('topic')
})
`
}

/** The prompt: one argument and one message for the model. */
export function promptTemplate(name: string, mcp?: string): string {
  return `/** \`${name}\`: says in one sentence what it asks of the model. */

${imports('definePrompt', mcp, [], true)}

export default definePrompt({
  name: '${name}',
  title: '${titleOf(name)}',
  description: 'Explains a topic in a few sentences.',
  arguments: z.object({ topic: z.string().max(100).describe('What to explain.') }),
  render: ({ topic }) => \`Explain \${topic} in three sentences at most.\`,
})
`
}

/** The hook: runs before and after each call. */
export function hookTemplate(name: string, mcp?: string): string {
  return `/** \`${name}\`: says in one sentence what it does around each call. */

${imports('defineHook', mcp, [], false)}

export default defineHook({
  name: '${name}',
  before({ kind, name, caller }) {
    // Throw a \`ToolError\` to refuse the call.
    void [kind, name, caller]
  },
  after({ kind, name, log }, outcome) {
    log.info('call ended', { kind, name, status: outcome.status })
  },
})
`
}

/** The title of a name: `Open account` for `open-account`. */
function titleOf(name: string): string {
  const words = name.replaceAll(/[-_]/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
