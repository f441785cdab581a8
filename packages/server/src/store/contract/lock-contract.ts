/** Contract suite: locks. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Lock } from '../port.ts'
import type { TestRunner } from './runner.ts'
import { MINUTE, type Nodes, newKey, within } from './store-nodes.ts'

export function lockContract(nodes: Nodes, runner: TestRunner): void {
  runner.describe('a lock', () => {
    holders(nodes, runner)
    tokens(nodes, runner)
    expiry(nodes, runner)
  })
}

function holders(nodes: Nodes, { expect, it }: TestRunner): void {
  it('has one holder', async () => {
    const key = newKey()
    const lock = await held(nodes.one.lock(key, MINUTE))
    expect(await nodes.other.lock(key, MINUTE)).toBeUndefined()
    await lock.release()
    expect(await nodes.other.lock(key, MINUTE)).toBeDefined()
  })

  it('is taken by one of 50', async () => {
    const key = newKey()
    const attempts = Array.from({ length: 50 }, (_, index) =>
      (index % 2 ? nodes.other : nodes.one).lock(key, MINUTE),
    )
    expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(1)
  })

  it('does not mix with a document of the same name, with a hash tag or without', async () => {
    for (const key of [newKey(), newKey().replace(/[{}]/g, '')]) {
      await nodes.one.set(key, { a: 1 }, MINUTE)
      const lock = await held(nodes.one.lock(key, MINUTE))
      expect(await nodes.one.get(key)).toEqual({ a: 1, rev: 1 })
      await lock.release()
    }
  })
}

function tokens(nodes: Nodes, { expect, it }: TestRunner): void {
  it('expires, and the next holder has a greater token', async () => {
    const key = newKey()
    const first = await held(nodes.one.lock(key, 0.1))
    await sleep(200)
    const second = await held(nodes.other.lock(key, MINUTE))
    expect(second.token).toBeGreaterThan(first.token)
    expect(Number.isSafeInteger(second.token)).toBe(true)
  })

  it('gives growing tokens however fast it changes hands', async () => {
    const key = newKey()
    let last = 0
    for (let round = 0; round < 50; round += 1) {
      const lock = await held((round % 2 ? nodes.other : nodes.one).lock(key, MINUTE))
      expect(lock.token).toBeGreaterThan(last)
      last = lock.token
      await lock.release()
    }
  })
}

function expiry(nodes: Nodes, { expect, it }: TestRunner): void {
  it('is not released by a holder that came late', async () => {
    const key = newKey()
    const late = await held(nodes.one.lock(key, 0.1))
    await sleep(200)
    const current = await held(nodes.other.lock(key, MINUTE))
    await late.release()
    expect(await nodes.one.lock(key, MINUTE)).toBeUndefined()
    expect(await late.extend(MINUTE)).toBe(false)
    expect(await current.extend(MINUTE)).toBe(true)
  })

  it('lasts longer when it is extended', async () => {
    const [key, isExtended] = await within(200, async () => {
      const name = newKey()
      const lock = await held(nodes.one.lock(name, 0.2))
      return [name, await lock.extend(MINUTE)] as const
    })
    expect(isExtended).toBe(true)
    await sleep(300)
    expect(await nodes.other.lock(key, MINUTE)).toBeUndefined()
  })
}

async function held(attempt: Promise<Lock | undefined>): Promise<Lock> {
  const lock = await attempt
  if (!lock) throw new Error('The lock is held by somebody else.')
  return lock
}
