/**
 * Thousands of values for a masked argument, where the tool declares none: each would be searched for
 * in the whole result.
 */

import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineTool, masked } from '../../src/engine/index.ts'
import { callTool } from '../support/tools.ts'

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index))

const tool = defineTool({
  name: 'probe',
  description: 'Has a masked argument, and many texts in its answer.',
  input: z.object({ pin: masked(z.string()), more: z.object({}).optional() }),
  output: z.object({ list: z.array(z.string()) }),
  run: async ({ input }) => ({ list: times(5000, (at) => `entry ${at} of ${input.pin}`) }),
})

/** With characters that URLs and JSON escape, so that each has several spellings. */
const MANY = times(9000, (at) => `"é+/&" ${at}`)

async function timed(input: object): Promise<number> {
  const started = performance.now()
  const { structuredContent } = await callTool(tool, { pin: '1234-5678', ...input } as never)
  expect(structuredContent).toMatchObject({ list: { 4999: 'entry 4999 of *********' } })
  return performance.now() - started
}

test.each([
  ['beside the declared arguments', { junk: { pin: MANY } }],
  ['below a declared argument', { more: { deep: [{ pin: MANY }] } }],
  ['as keys of an object', { junk: { pin: Object.fromEntries(MANY.map((each) => [each, each])) } }],
])('are not searched for %s', async (_where, junk) => {
  const short = Math.min(await timed({}), await timed({}), await timed({}))
  const long = Math.min(await timed(junk), await timed(junk), await timed(junk))
  // It took ten times as long.
  expect(long).toBeLessThan(short + 2000)
})

test('a masked argument that the schema transforms is still masked', async () => {
  const input = z.object({
    page: masked(z.string()).pipe(z.transform((text: string) => new URL(text))),
  })
  const output = z.object({ said: z.string() })
  const echo = defineTool({
    ...{ name: 'echo', description: 'Echoes a masked address.', input, output },
    run: async ({ input: { page } }) => ({ said: `at ${page.href}` }),
  })
  const run = await callTool(echo, { page: 'https://a.example/secret' })
  expect(run.structuredContent).toEqual({ said: `at ${'*'.repeat(24)}` })
})

test('a masked argument is not in the error of a schema that throws', async () => {
  const input = z.object({
    pin: masked(z.string()).refine((pin) => {
      throw new Error(`Not a pin: ${pin}`)
    }),
  })
  const { log, text } = await callTool(defineTool({ ...tool, input } as never), {
    pin: '1234-5678',
  } as never)
  expect(JSON.stringify([log, text])).not.toContain('1234')
  expect(JSON.stringify(log)).toContain('Not a pin')
})
