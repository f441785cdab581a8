/** One-time sign-in links: the code, expiry and invalidation. */

import { describe, expect, it } from 'vitest'
import { createSignInLinks } from '../../src/session/sign-in-link.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'

const START = Date.UTC(2026, 0, 1)
const WRONG = 'ZZZZ-ZZZZ'

async function issued() {
  let time = START
  const now = () => time
  const store = createMemoryStore({ now })
  const links = createSignInLinks({ store, now }, { ttlSeconds: 600 })
  const link = await links.issue('ses_1', 'a client')
  function pass(seconds: number): void {
    time += seconds * 1000
  }
  return { ...links, ...link, store, pass }
}

describe('a link', () => {
  it('has the name of the client and the time of the request', async () => {
    const { describe, handle, expiresAt } = await issued()
    expect(await describe(handle)).toEqual({
      sessionId: 'ses_1',
      clientName: 'a client',
      since: new Date(START),
    })
    expect(expiresAt).toEqual(new Date(START + 600_000))
  })

  it('accepts its code in any spelling', async () => {
    for (const typed of [
      (code: string) => code,
      (code: string) => code.toLowerCase(),
      (code: string) => code.replace('-', ''),
      (code: string) => ` ${code.replace('-', ' ')} `,
      (code: string) => code.replaceAll('0', 'o').replaceAll('1', 'l'),
    ]) {
      const { check, handle, code } = await issued()
      expect(await check(handle, typed(code))).toMatchObject({ outcome: 'right' })
    }
  })

  it('is invalid after its TTL', async () => {
    const { check, describe, use, handle, code, pass } = await issued()
    pass(600)
    expect(await describe(handle)).toBeUndefined()
    expect(await check(handle, code)).toEqual({ outcome: 'void' })
    expect(await use(handle)).toBe(false)
  })

  it('that was never issued is invalid', async () => {
    const { check, describe, use, code } = await issued()
    for (const handle of ['', 'lnk_x', `lnk_${'A'.repeat(43)}`]) {
      expect(await describe(handle)).toBeUndefined()
      expect(await check(handle, code)).toEqual({ outcome: 'void' })
      expect(await use(handle)).toBe(false)
    }
  })

  it('does not accept the code of another link', async () => {
    const one = await issued()
    const other = await one.issue('ses_2', 'another client')
    expect(await one.check(one.handle, other.code)).toMatchObject({ outcome: 'wrong' })
  })

  it('is consumed once by 20 concurrent uses', async () => {
    const { use, handle } = await issued()
    const used = await Promise.all(Array.from({ length: 20 }, () => use(handle)))
    expect(used.filter(Boolean)).toHaveLength(1)
  })
})

describe('guessing the code', () => {
  it('allows five attempts; afterwards the right code is refused, too', async () => {
    const { check, describe, handle, code } = await issued()
    for (const triesLeft of [4, 3, 2, 1]) {
      expect(await check(handle, WRONG)).toEqual({ outcome: 'wrong', triesLeft })
    }
    expect(await check(handle, WRONG)).toEqual({ outcome: 'void' })
    expect(await check(handle, code)).toEqual({ outcome: 'void' })
    expect(await describe(handle)).toBeUndefined()
  })

  it('may be right the fifth time', async () => {
    const { check, handle, code } = await issued()
    for (let tries = 0; tries < 4; tries += 1) await check(handle, WRONG)
    expect(await check(handle, code)).toMatchObject({ outcome: 'right' })
  })

  it('a hundred times concurrently counts as five attempts', async () => {
    const { check, handle, code } = await issued()
    const guesses = Array.from({ length: 100 }, () => check(handle, WRONG))
    const outcomes = (await Promise.all(guesses)).map(({ outcome }) => outcome)
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(4)
    expect(await check(handle, code)).toEqual({ outcome: 'void' })
  })
})

describe('the store', () => {
  it('contains neither the handle nor the code', async () => {
    const stored: unknown[] = []
    const store = createMemoryStore()
    const set: Store['set'] = (...call) => {
      stored.push(call)
      return store.set(...call)
    }
    const links = createSignInLinks(
      { store: { ...store, set }, now: Date.now },
      { ttlSeconds: 600 },
    )
    const { handle, code } = await links.issue('ses_1', 'a client')
    expect(stored).toHaveLength(1)
    for (const secret of [handle, code, code.replace('-', '')]) {
      expect(JSON.stringify(stored)).not.toContain(secret)
    }
  })
})
