/** Rate limits of tools: the error for the model, with the time to retry. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compileTool } from '../../src/engine/compile-tool.ts'
import type { AnyTool } from '../../src/engine/define-tool.ts'
import { defineTool } from '../../src/engine/index.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createRateLimits, type Rate, type RateLimits } from '../../src/store/rate-limits.ts'
import { recordingLogger } from '../logger/lines.ts'
import { callTool } from '../support/tools.ts'

let time: number
let rateLimits: RateLimits
let runs: number
beforeEach(() => {
  time = 1_800_000_000_000
  runs = 0
  const now = () => time
  const store = createMemoryStore({ now })
  const { log } = recordingLogger()
  rateLimits = createRateLimits({ store, log, monotonicNow: now }, { rateLimit: true })
})
afterEach(() => rateLimits.close())

const tool = (rateLimit?: Rate, name = 'report', login = false) =>
  defineTool({
    name,
    description: 'Costs something.',
    input: z.object({ of: z.string().default('') }),
    output: z.object({}),
    ...(login && { requires: { login } }),
    ...(rateLimit !== undefined && { rateLimit }),
    async run() {
      runs += 1
      return {}
    },
  })

const call = (of: AnyTool, input = {}) => callTool(of, input, { rateLimits })

describe('a tool with a limit', () => {
  it('runs up to its limit in a window, then reports when to retry', async () => {
    const limited = tool({ calls: 2, perSeconds: 30 })
    expect([(await call(limited)).code, (await call(limited)).code]).toEqual([undefined, undefined])
    time += 10_000
    const refused = await call(limited)
    expect(refused.code).toBe('too_many_requests')
    expect(refused.text).toBe(
      'This tool may be called 2 times in 30 seconds. Try again in 20 seconds.',
    )
    expect(refused.retryAfterSeconds).toBe(20)
    expect(refused.log.at(-1)).toMatchObject({ msg: 'tool call', outcome: 'too_many_requests' })
    expect(runs).toBe(2)
    time += 20_000
    expect((await call(limited)).code).toBeUndefined()
  })

  it('does not affect other callers', async () => {
    const [one, other] = [tool({ calls: 1, perSeconds: 30 }), tool(undefined, 'other')]
    await call(one)
    expect((await call(one)).code).toBe('too_many_requests')
    expect((await call(other)).code).toBeUndefined()
    expect((await call(tool({ calls: 1, perSeconds: 30 }, 'third'))).code).toBeUndefined()
  })

  it('does not count what could not run', async () => {
    const limited = tool({ calls: 1, perSeconds: 30 })
    expect((await call(limited, { of: 1 })).code).toBe('invalid_arguments')
    expect((await call(limited)).code).toBeUndefined()
  })

  it('counts a call that asks for a sign-in once', async () => {
    const limited = tool({ calls: 1, perSeconds: 30 }, 'report', true)
    const result = await callTool(limited, {}, { rateLimits, opensUrl: 'accept' })
    expect(result.openedUrls).toHaveLength(1)
    expect(result.code).toBeUndefined()
    expect((await call(limited)).code).toBe('too_many_requests')
  })

  it('is refused at start if the limit is invalid', () => {
    for (const rate of [
      { calls: 0, perSeconds: 60 },
      { calls: 1.5, perSeconds: 60 },
      { calls: 1, perSeconds: 0 },
      { calls: 1, perSeconds: 86_401 },
      { calls: '3' as unknown as number, perSeconds: 60 },
    ]) {
      expect(() => compileTool(tool(rate))).toThrow('rateLimit must be')
    }
  })
})
