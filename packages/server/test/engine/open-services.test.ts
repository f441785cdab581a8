/** Services: opened in order, named when they fail or hang, closed in reverse order. */

import { describe, expect, it, vi } from 'vitest'
import type { ServicesContext } from '../../src/engine/define-services.ts'
import { openServices, ServiceError } from '../../src/engine/open-services.ts'
import type { Announce } from '../../src/engine/tool-context.ts'
import { recordingLogger } from '../logger/lines.ts'

const SECRET = 'postgres://desk:hunter2secret@db/desk'

type Work = (context: ServicesContext<object>) => object | Promise<object>

function open(services: Work, given: { timeoutSeconds?: number; closeMs?: number } = {}) {
  const { log, lines } = recordingLogger()
  const options = { settings: {}, secrets: [SECRET], log, timeoutSeconds: 5, ...given }
  return { opening: openServices({ services }, options), lines }
}

const events: string[] = []
const closes = (name: string) => () => void events.push(`close ${name}`)

describe('services', () => {
  it('open in order, and close in reverse order', async () => {
    events.length = 0
    const { opening } = open(async ({ open }) => {
      const one = await open('one', () => events.push('open one'), closes('one'))
      const two = await open('two', async () => one + 1, closes('two'))
      return { one, two }
    })
    const { services, close } = await opening
    expect(services).toEqual({ one: 1, two: 2 })
    await close()
    expect(events).toEqual(['open one', 'close two', 'close one'])
  })

  it('are empty if none are declared', async () => {
    const { log } = recordingLogger()
    const options = { settings: {}, secrets: [], log, timeoutSeconds: 1 }
    const { services, close } = await openServices({}, options)
    expect(services).toEqual({})
    await close()
  })

  it('that fail are named, without secrets, and earlier ones closed', async () => {
    events.length = 0
    const { opening } = open(async ({ open }) => {
      await open('one', () => 1, closes('one'))
      await open('database', () => Promise.reject(new Error(`no answer of ${SECRET}`)))
      return {}
    })
    await expect(opening).rejects.toThrow(
      new ServiceError('The service "database" did not start: no answer of [redacted]'),
    )
    expect(events).toEqual(['close one'])
  })

  it('that hang are named, and closed at once if they open later', async () => {
    events.length = 0
    let finish: (value: number) => void = () => undefined
    const aborted = vi.fn()
    const { opening } = open(
      async ({ open, signal }) => {
        signal.addEventListener('abort', aborted)
        await open('one', () => 1, closes('one'))
        await open(
          'slow',
          () => new Promise<number>((resolve) => (finish = resolve)),
          closes('slow'),
        )
        await open('never', () => 1, closes('never'))
        return {}
      },
      { timeoutSeconds: 0.05 },
    )
    await expect(opening).rejects.toThrow(
      'The service "slow" did not start within 0.05 seconds (START_TIMEOUT).',
    )
    expect(aborted).toHaveBeenCalledOnce()
    expect(events).toEqual(['close one'])
    finish(1)
    await expect.poll(() => events).toEqual(['close one', 'close slow'])
  })

  it('that throw outside of `open` are reported, too', async () => {
    const { opening } = open(() => {
      throw new TypeError('settings are odd')
    })
    await expect(opening).rejects.toThrow('The services did not start: settings are odd')
  })

  it('that fail or hang on closing do not keep the others open', async () => {
    events.length = 0
    const { opening, lines } = open(
      async ({ open }) => {
        await open('one', () => 1, closes('one'))
        await open(
          'hangs',
          () => 2,
          () => new Promise(() => undefined),
        )
        await open(
          'throws',
          () => 3,
          () => Promise.reject(new Error('broken')),
        )
        return {}
      },
      { closeMs: 20 },
    )
    const { close } = await opening
    await close()
    expect(events).toEqual(['close one'])
    expect(lines()).toMatchObject([
      { level: 'error', service: 'throws', msg: 'service failed to close' },
      { level: 'error', service: 'hangs', msg: 'service did not close' },
    ])
  })

  it('announce changes once the node has joined the others', async () => {
    const { opening } = open(({ announce }) => {
      announce.toolsChanged()
      announce.resourceUpdated('desk://1')
      return { announce }
    })
    const { services, join } = await opening
    const announced: unknown[] = []
    join({
      toolsChanged: () => announced.push('tools'),
      promptsChanged: () => announced.push('prompts'),
      resourcesChanged: () => announced.push('resources'),
      resourceUpdated: (uri) => announced.push(uri),
    })
    ;(services as { readonly announce: Announce }).announce.promptsChanged()
    expect(announced).toEqual(['tools', 'desk://1', 'prompts'])
  })

  it('log without secrets', async () => {
    const { opening, lines } = open(({ log }) => {
      log.info(`connecting to ${SECRET}`, { url: SECRET })
      return {}
    })
    await opening
    expect(JSON.stringify(lines())).not.toContain('hunter2secret')
    expect(lines()).toMatchObject([{ msg: 'connecting to [redacted]' }])
  })
})
