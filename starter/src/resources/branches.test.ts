/** The sample resource: what its readers see. */

import { readResource } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import branches from './branches.ts'

test('has the address of a branch', async () => {
  const { text } = await readResource(branches, 'bank://branches/lyon')
  expect(text).toContain('3 rue Jacquard')
})

test('does not know other cities', async () => {
  await expect(readResource(branches, 'bank://branches/atlantis')).rejects.toThrow('not found')
})
