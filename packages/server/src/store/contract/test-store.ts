/** The contract suite of the store port: one suite for all drivers, yours included. */

import { appendsContract } from './appends-contract.ts'
import { counterContract } from './counter-contract.ts'
import { documentsContract } from './documents-contract.ts'
import { followContract } from './follow-contract.ts'
import { lockContract } from './lock-contract.ts'
import { patchContract } from './patch-contract.ts'
import type { TestRunner } from './runner.ts'
import { createNodes, type OpenedStore } from './store-nodes.ts'
import { streamsContract } from './streams-contract.ts'
import { timeContract } from './time-contract.ts'

/**
 * Declares the tests that every store driver must pass. `open` opens two nodes on the same data.
 *
 *     import { afterAll, beforeAll, describe, expect, it } from 'vitest'
 *     describe('our store', () => testStore(open, { afterAll, beforeAll, describe, expect, it }))
 */
export function testStore(open: () => Promise<OpenedStore>, runner: TestRunner): void {
  const nodes = createNodes()
  let opened: OpenedStore | undefined

  runner.beforeAll(async () => {
    opened = await open()
    nodes.use(opened)
  })
  runner.afterAll(async () => opened?.close())

  documentsContract(nodes, runner)
  patchContract(nodes, runner)
  counterContract(nodes, runner)
  lockContract(nodes, runner)
  timeContract(nodes, runner)
  streamsContract(nodes, runner)
  appendsContract(nodes, runner)
  followContract(nodes, runner)
}
