/** Streams of a token's session end with the session or grant, not with the token. */

import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import type { ClusterNode, Control } from '../../src/mcp/nodes/cluster-node.ts'
import { createSessionEnds, type TokenSession } from '../../src/mcp/nodes/session-ends.ts'

const SESSION = { id: 'ses_1', grantId: 'ses_1.gra_1', since: 0, expiresAt: 20 }

/** A node that receives its own messages, and a session whose validity the test determines. */
function setUp(mayContinue: (session: TokenSession) => Promise<boolean> = async () => true) {
  const listeners: ((control: Control) => void)[] = []
  const node = {
    onControl: (listener: (control: Control) => void) => void listeners.push(listener),
    broadcastWithRetry: async (control: Control) => {
      for (const listener of listeners) listener(control)
    },
  } as unknown as ClusterNode
  const asked = vi.fn(mayContinue)
  const ends = createSessionEnds(node, { now: () => 0, mayContinue: asked })
  const reasons: string[] = []
  const watch = (session: TokenSession) => ends.watch(session, (reason) => reasons.push(reason))
  return { ends, asked, reasons, watch }
}

describe('the expiry of a token', () => {
  test('leaves streams of a valid session open', async () => {
    const { asked, reasons, watch } = setUp()
    const stop = watch(SESSION)
    await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(1), 30_000)
    await delay(20)
    expect(reasons).toEqual([])
    stop()
  })

  test('ends streams of a session or a grant that has ended', async () => {
    const { reasons, watch } = setUp(async () => false)
    watch(SESSION)
    await vi.waitFor(() => expect(reasons).toEqual(['ended']), 30_000)
  })

  test('leaves streams open while the store is unavailable', async () => {
    const { asked, reasons, watch } = setUp(() => Promise.reject(new Error('unavailable')))
    const stop = watch(SESSION)
    await vi.waitFor(() => expect(asked).toHaveBeenCalled(), 30_000)
    await delay(20)
    expect(reasons).toEqual([])
    stop()
  })

  test('of another issuer leaves streams open while a newer token is valid, and calls run', async () => {
    let until = 40
    let isBusy = true
    const reasons: string[] = []
    const node = { onControl: () => undefined } as unknown as ClusterNode
    const started = performance.now()
    const now = () => performance.now() - started
    const tokenUntil = vi.fn(async () => until)
    const ends = createSessionEnds(node, { now, tokenUntil })
    const session = { id: 'ses_1', since: 0, expiresAt: 20 }
    ends.watch(
      session,
      (reason) => reasons.push(reason),
      async () => isBusy,
    )
    until = 60
    await vi.waitFor(() => expect(tokenUntil.mock.calls.length).toBeGreaterThan(1), 30_000)
    expect(reasons).toEqual([])
    isBusy = false
    await vi.waitFor(() => expect(reasons).toEqual(['expired']), 30_000)
  })

  test('of another issuer ends streams, so that the client reconnects with a newer token', async () => {
    const { asked, reasons, watch } = setUp()
    watch({ id: 'ses_1', since: 0, expiresAt: 20 })
    await vi.waitFor(() => expect(reasons).toEqual(['expired']), 30_000)
    expect(asked).not.toHaveBeenCalled()
  })
})

describe('a broadcast end', () => {
  test('of a session ends all its streams', async () => {
    const { ends, reasons, watch } = setUp()
    watch(SESSION)
    watch({ ...SESSION, grantId: 'ses_1.gra_2' })
    await ends.announce('ses_1')
    await vi.waitFor(() => expect(reasons).toEqual(['ended', 'ended']), 30_000)
  })

  test('of a grant ends the streams of its tokens, before and just after, and no others', async () => {
    const { ends, reasons, watch } = setUp()
    const ended = vi.fn()
    const stop = ends.watch({ ...SESSION, grantId: 'ses_1.gra_2' }, ended)
    watch(SESSION)
    await ends.announce('ses_1', SESSION.grantId)
    await vi.waitFor(() => expect(reasons).toEqual(['ended']), 30_000)
    watch(SESSION)
    await vi.waitFor(() => expect(reasons).toEqual(['ended', 'ended']), 30_000)
    expect(ended).not.toHaveBeenCalled()
    stop()
  })
})
