/** The session as tools use it: opened on demand, values by name, ended permanently. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool, type ToolSession } from '../../src/engine/index.ts'
import { type CallToolOptions, callTool } from '../support/tools.ts'

/** Runs a tool that uses its session like this, and returns the result as JSON. */
async function inTool(use: (session: ToolSession) => unknown, options: CallToolOptions = {}) {
  const tool = defineTool({
    name: 'probe',
    description: 'Uses its session.',
    input: z.object({}),
    output: z.object({ json: z.string().optional() }),
    run: async ({ session }) => ({ json: JSON.stringify(await use(session)) }),
  })
  const result = await callTool(tool, {}, options)
  const json = result.structuredContent?.json as string | undefined
  return { ...result, value: json === undefined ? undefined : (JSON.parse(json) as unknown) }
}

describe('values', () => {
  it('are available to the same call and to later ones', async () => {
    const { value, session } = await inTool(async ({ get, set }) => {
      await set('cart', ['apple'])
      return get('cart')
    })
    expect(value).toEqual(['apple'])
    expect(session.data).toEqual({ cart: ['apple'] })
  })

  it('of earlier calls are available, and names without a value are undefined', async () => {
    const options = { sessionData: { cart: 1 } }
    const names = ['cart', 'other', 'toString', '__proto__']
    const { value } = await inTool(({ get }) => names.map((name) => get(name) ?? 'none'), options)
    expect(value).toEqual([1, 'none', 'none', 'none'])
  })

  it('set concurrently are all stored', async () => {
    const { session } = await inTool(({ set }) =>
      Promise.all(['a', 'b', 'c', 'd'].map((name) => set(name, name))),
    )
    expect(session.data).toEqual({ a: 'a', b: 'b', c: 'c', d: 'd' })
  })

  it.each(['', 'a.b', 'a b', 'credentials.bank', '__proto__', 'constructor', 'x'.repeat(65)])(
    'cannot be named "%s"',
    async (name) => {
      const { code, session } = await inTool(({ set }) => set(name, 1))
      expect(code).toBe('invalid_name')
      expect(session.data).toEqual({})
    },
  )
})

describe('a tool sees', () => {
  it('who signed in', async () => {
    const account = { sub: 'ada', name: 'Ada' }
    const { value } = await inTool(({ account }) => account(), { signedInAs: account })
    expect(value).toEqual(account)
  })

  it('nobody if nobody has signed in', async () => {
    const { value } = await inTool(async ({ state, account }) => [state, await account()])
    expect(value).toEqual(['anonymous', null])
  })

  it('no session once it has ended it', async () => {
    const { value, session } = await inTool(
      async (session) => [await session.end(), session.state, await session.end()],
      { signedInAs: { sub: 'ada' } },
    )
    expect(value).toEqual([true, 'anonymous', false])
    expect(session).toMatchObject({ state: 'expired', revoked: true })
  })
})
