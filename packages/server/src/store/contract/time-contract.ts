/** Contract suite: the store's clock. */

import type { TestRunner } from './runner.ts'
import { type Nodes, newKey, untilGone } from './store-nodes.ts'

export function timeContract(nodes: Nodes, { describe, expect, it }: TestRunner): void {
  describe('the time', () => {
    it('is in milliseconds since 1970, and the same for all nodes', async () => {
      const times = await Promise.all([nodes.one.time(), nodes.other.time()])
      for (const time of times) expect(Number.isSafeInteger(time)).toBe(true)
      expect(Math.abs((times[0] ?? 0) - (times[1] ?? 0))).toBeLessThan(1000)
      expect(Math.abs((times[0] ?? 0) - Date.now())).toBeLessThan(60_000)
    })

    it('is what documents expire by', async () => {
      const key = newKey()
      const written = await nodes.one.time()
      await nodes.one.set(key, { a: 1 }, 0.1)
      await untilGone(nodes.other, key)
      expect(await nodes.other.time()).toBeGreaterThanOrEqual(written + 100)
    })
  })
}
