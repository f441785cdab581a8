/** `createMcp`: settings and services are typed, and available in all declarations. */

import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import { defineTool } from '../../src/engine/index.ts'
import { callTool, getPrompt, readResource } from '../../src/testing/index.ts'

class Desk {
  #region: string

  constructor(region: string) {
    this.#region = region
  }

  find(id: string): string {
    return `${this.#region}/${id}`
  }

  drop(_id: string): void {}
}

const desk = createMcp({
  settings: z.object({
    DESK_REGION: z.enum(['eu', 'us']).default('eu'),
    DESK_PAGE: z.coerce.number().int(),
  }),
  async services({ settings, open }) {
    expectTypeOf(settings).toEqualTypeOf<{ DESK_REGION: 'eu' | 'us'; DESK_PAGE: number }>()
    return { desk: await open('desk', () => new Desk(settings.DESK_REGION)) }
  },
})

const find = desk.defineTool({
  name: 'find',
  description: 'Finds.',
  input: z.object({ id: z.string() }),
  output: z.object({ found: z.string(), who: z.string(), page: z.number() }),
  visible: ({ claims }, { settings }) =>
    claims.role === 'admin' || settings.DESK_REGION === ('eu' as string),
  async run({ input, caller, settings, services }) {
    expectTypeOf(services.desk).toEqualTypeOf<Desk>()
    expectTypeOf(settings.DESK_PAGE).toEqualTypeOf<number>()
    // @ts-expect-error: there is no such service
    void services.database
    return {
      found: services.desk.find(input.id),
      who: `${caller.kind} ${caller.subject}`,
      page: settings.DESK_PAGE ?? 0,
    }
  },
})

const fakes = {
  settings: { DESK_PAGE: 7 },
  services: { desk: { find: (id: string) => `fake/${id}` } },
  caller: { subject: 'ada' },
}

describe('tools', () => {
  it('see settings, services and the caller; others have their defaults', async () => {
    const result = await callTool(find, { id: '1' }, fakes)
    expect(result.structuredContent).toEqual({ found: 'fake/1', who: 'token ada', page: 7 })
  })

  it('have type-checked fakes in tests', async () => {
    // @ts-expect-error: finds nothing but texts
    await callTool(find, { id: '1' }, { services: { desk: { find: () => 1 } } })
    // @ts-expect-error: there is no such service
    await callTool(find, { id: '1' }, { services: { database: {} } })
    // @ts-expect-error: there is no such region
    await callTool(find, { id: '1' }, { settings: { DESK_REGION: 'mars' } })
  })

  it('of the package itself see none', async () => {
    const plain = defineTool({
      name: 'plain',
      description: 'Plain.',
      input: z.object({}),
      output: z.object({ settings: z.array(z.string()) }),
      run: async ({ settings }) => ({ settings: Object.keys(settings) }),
    })
    const result = await callTool(plain, {})
    expect(result.structuredContent).toEqual({ settings: [] })
  })

  it('of another server are type errors', () => {
    const other = createMcp({ settings: z.object({ OTHER: z.string() }) })
    const hook = other.defineHook({ name: 'other', before: ({ settings }) => void settings.OTHER })
    // @ts-expect-error: its settings are not those of this server
    desk.defineServer({ name: 'desk', hooks: [hook] })
  })
})

it('provides the same to resources and prompts', async () => {
  const resource = desk.defineResource({
    name: 'ticket',
    uri: 'desk://{id}',
    read: async ({ variables, caller, settings, services }) =>
      `${services.desk.find(String(variables.id))} ${caller.subject} ${settings.DESK_REGION}`,
  })
  const read = await readResource(resource, 'desk://1', fakes)
  expect(read.text).toBe('fake/1 ada eu')
  const prompt = desk.definePrompt({
    name: 'explain',
    description: 'Explains.',
    arguments: z.object({ id: z.string() }),
    render: ({ id }, { caller, settings, services }) =>
      `${services.desk.find(id)} ${caller.subject} ${settings.DESK_REGION}`,
  })
  const rendered = await getPrompt(prompt, { id: '1' }, fakes)
  expect(rendered.text).toBe('fake/1 ada eu')
})
