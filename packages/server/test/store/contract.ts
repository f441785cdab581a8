/** The contract of stores, run by Vitest. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OpenedStore } from '../../src/store/contract/store-nodes.ts'
import { testStore } from '../../src/store/contract/test-store.ts'

export function storeContract(open: () => Promise<OpenedStore>): void {
  testStore(open, { afterAll, beforeAll, describe, expect, it })
}
