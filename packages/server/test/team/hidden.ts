/** Tools, resources and prompts, some of them hidden from some callers. */

import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import { completable } from '../../src/engine/index.ts'

export const mcp = createMcp({
  services: () => ({ flags: { beta: false } }),
})
const isAdmin = ({ claims }: { readonly claims: Readonly<Record<string, unknown>> }) =>
  claims.role === 'admin'
const tool = (name: string, more: object = {}, input = z.object({})) =>
  mcp.defineTool({
    ...{ name, input, output: z.object({ done: z.boolean() }), description: 'Does.', ...more },
    run: async () => ({ done: true }),
  })

const region = z.string().optional().meta({ 'x-mcp-header': 'Region' })
export const tools = [
  tool('public'),
  tool('hidden', { visible: isAdmin, rateLimit: { calls: 100, perSeconds: 60 } }),
  tool('hidden-by-header', { visible: isAdmin }, z.object({ region })),
  tool('hidden-by-scope', { requires: { scopes: ['service:read'] } }),
  mcp.defineTool({
    ...tool('hidden-by-flag'),
    visible: (_caller, { services }) => services.flags.beta,
  }),
  tool('hidden-by-fault', {
    visible: () => {
      throw new Error('no such flag')
    },
  }),
  tool('hidden-by-promise', { visible: async () => true }),
  mcp.defineTool({
    ...{ name: 'switch', description: 'Turns the flag on.', input: z.object({}) },
    output: z.object({}),
    visible: ({ kind }) => kind !== 'token',
    async run({ services, announce }) {
      services.flags.beta = true
      announce.toolsChanged()
      return {}
    },
  }),
]
export const resources = [
  mcp.defineResource({ name: 'open', uri: 'desk://open', read: async () => 'open' }),
  mcp.defineResource({ name: 'h1', uri: 'desk://hidden', visible: isAdmin, read: async () => 'h' }),
  mcp.defineResource({
    name: 'h2',
    uri: 'hidden://{id}',
    visible: isAdmin,
    complete: { id: () => ['1'] },
    read: async () => 'h',
  }),
]
const prompt = (name: string, more: object = {}) =>
  mcp.definePrompt({
    ...{ name, description: 'Asks.', ...more },
    arguments: z.object({ id: completable(z.string(), () => ['1']) }),
    render: () => 'Say hello.',
  })
export const prompts = [prompt('open'), prompt('hidden', { visible: isAdmin })]
