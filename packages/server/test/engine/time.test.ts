/** Time limits of tools: timeout, cancellation, and late results. */

import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { compileTool } from '../../src/engine/compile-tool.ts'
import { defineTool, type ToolContext, ToolError } from '../../src/engine/index.ts'
import { callTool } from '../support/tools.ts'

type Nothing = Record<string, never>
type Context = ToolContext<Nothing>

function toolThat(run: (context: Context) => Promise<object>, timeoutSeconds?: number) {
  return defineTool({
    name: 'probe',
    description: 'Does what the test says.',
    input: z.object({}),
    output: z.object({}),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    run: (context) => run(context) as Promise<Nothing>,
  })
}

const forever = () => new Promise<never>(() => undefined)

/** A query of a database library: a thenable that is no `Promise`, and begins with its `then`. */
const thenable = (then: () => void) => ({ then }) as unknown as Promise<object>

describe('a tool that exceeds its time limit', () => {
  it('does not delay its caller, even if it ignores its signal', async () => {
    const result = await callTool(toolThat(forever, 0.05), {})
    expect(result.code).toBe('timeout')
    expect(result.log.at(-1)).toMatchObject({ msg: 'tool call', outcome: 'timeout' })
  })

  it('is aborted by its signal', async () => {
    const stopped = vi.fn()
    const tool = toolThat(({ signal }) => {
      signal.addEventListener('abort', stopped)
      return forever()
    }, 0.05)
    await callTool(tool, {})
    expect(stopped).toHaveBeenCalledOnce()
  })

  it('is aborted by a signal that it reads after the timeout', async () => {
    const seen: unknown[] = []
    const tool = toolThat(async (context) => {
      // Deadlines fire up to one sweep late.
      await delay(400)
      seen.push(context.signal.aborted, context.signal.reason)
      return {}
    }, 0.05)
    await callTool(tool, {})
    await vi.waitFor(() => expect(seen).toEqual([true, expect.any(DOMException)]), 30_000)
  })

  it('has the configured time limit by default', async () => {
    expect((await callTool(toolThat(forever), {}, { timeoutSeconds: 0.05 })).code).toBe('timeout')
    const brief = toolThat(() => delay(80, {}))
    expect((await callTool(brief, {}, { timeoutSeconds: 20 })).isError).toBe(false)
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 10_000_000])(
    'may not declare %s seconds',
    (seconds) => {
      expect(() => compileTool(toolThat(forever, seconds))).toThrow('timeoutSeconds must be')
    },
  )

  it('has its own time limit if it declares one', async () => {
    const tool = toolThat(() => delay(80, {}), 20)
    expect((await callTool(tool, {}, { timeoutSeconds: 0.01 })).isError).toBe(false)
  })

  it('is a timeout even if it throws because of its signal', async () => {
    const tool = toolThat(({ signal }) => delay(10_000, {}, { signal }), 0.05)
    expect((await callTool(tool, {})).code).toBe('timeout')
  })

  it.each([
    ['a thenable', thenable(() => undefined)],
    [
      'a function that is one',
      Object.assign(
        () => undefined,
        thenable(() => undefined),
      ),
    ],
  ])('does not delay its caller if it returned %s', async (_what, query) => {
    const result = await callTool(
      toolThat(() => query, 0.05),
      {},
    )
    expect(result.code).toBe('timeout')
  })

  it('may fail later without effect', async () => {
    const tool = toolThat(async () => {
      await delay(80)
      throw new Error('late')
    }, 0.02)
    expect((await callTool(tool, {})).code).toBe('timeout')
    await delay(120)
  })
})

describe('a call that is cancelled', () => {
  it('ends at once, even if the tool ignores its signal', async () => {
    const controller = new AbortController()
    const started = toolThat(() => {
      controller.abort()
      return forever()
    })
    const result = await callTool(started, {}, { signal: controller.signal })
    expect(result.code).toBe('cancelled')
  })

  it('ends at once if its tool returned a thenable, which runs once', async () => {
    const controller = new AbortController()
    const run = vi.fn()
    const tool = toolThat(() => thenable(run))
    const calling = callTool(tool, {}, { signal: controller.signal })
    await vi.waitFor(() => expect(run).toHaveBeenCalledOnce())
    controller.abort()
    expect((await calling).code).toBe('cancelled')
    expect(run).toHaveBeenCalledOnce()
  })

  it('gives the tool the reason', async () => {
    const controller = new AbortController()
    const reasons: unknown[] = []
    const tool = toolThat(({ signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason))
      controller.abort('the user left')
      return forever()
    })
    await callTool(tool, {}, { signal: controller.signal })
    expect(reasons).toEqual(['the user left'])
  })

  it('before it starts does not start', async () => {
    const run = vi.fn(async () => ({}))
    const result = await callTool(toolThat(run), {}, { signal: AbortSignal.abort() })
    expect(result.code).toBe('cancelled')
    expect(run).not.toHaveBeenCalled()
  })

  it('is cancelled, whatever the tool throws', async () => {
    const controller = new AbortController()
    const tool = toolThat(async () => {
      controller.abort()
      throw new ToolError('Something else.', { code: 'something_else' })
    })
    const result = await callTool(tool, {}, { signal: controller.signal })
    expect(result.code).toBe('cancelled')
  })
})

describe('after its end', () => {
  it('the signal aborts work that the tool left running', async () => {
    let ended: AbortSignal | undefined
    const tool = toolThat(async ({ signal }) => {
      ended = signal
      return {}
    })
    await callTool(tool, {})
    expect(ended?.aborted).toBe(true)
  })

  it.each([
    ['ended', undefined],
    ['taken too long', 0.02],
  ])('a tool that has %s sends no more progress', async (_what, timeoutSeconds) => {
    const onProgress = vi.fn()
    let late: Promise<unknown> = Promise.resolve()
    const tool = toolThat(async ({ progress }) => {
      await progress(1, 2)
      late = delay(200).then(() => progress(2, 2, 'too late'))
      return timeoutSeconds === undefined ? {} : forever()
    }, timeoutSeconds)
    await callTool(tool, {}, { onProgress })
    await late
    expect(onProgress.mock.calls).toEqual([[{ done: 1, total: 2, message: undefined }]])
  })
})

describe('progress', () => {
  it('reaches the caller in order', async () => {
    const tool = toolThat(async ({ progress }) => {
      await progress(1, 3, 'one')
      await progress(2)
      return {}
    })
    expect((await callTool(tool, {})).progress).toEqual([
      { done: 1, total: 3, message: 'one' },
      { done: 2, total: undefined, message: undefined },
    ])
  })

  it('that cannot be sent does not fail the tool', async () => {
    const tool = toolThat(async ({ progress }) => {
      await progress(1)
      return {}
    })
    const gone = { onProgress: () => Promise.reject(new Error('the client is gone')) }
    expect((await callTool(tool, {}, gone)).isError).toBe(false)
  })
})
