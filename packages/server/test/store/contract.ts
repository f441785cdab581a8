/** What every store must do, whatever its driver: one suite that runs on all of them. */

import { afterAll, beforeAll } from 'vitest'
import { counterContract } from './counter-contract.ts'
import { documentsContract } from './documents-contract.ts'
import { followContract } from './follow-contract.ts'
import { lockContract } from './lock-contract.ts'
import { createNodes, type OpenedStore } from './nodes.ts'
import { patchContract } from './patch-contract.ts'
import { streamsContract } from './streams-contract.ts'
import { timeContract } from './time-contract.ts'

export function storeContract(open: () => Promise<OpenedStore>): void {
  const nodes = createNodes()
  let opened: OpenedStore | undefined

  beforeAll(async () => {
    opened = await open()
    nodes.use(opened)
  })
  afterAll(() => opened?.close())

  documentsContract(nodes)
  patchContract(nodes)
  counterContract(nodes)
  lockContract(nodes)
  timeContract(nodes)
  streamsContract(nodes)
  followContract(nodes)
}
