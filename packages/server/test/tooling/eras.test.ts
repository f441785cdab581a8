/** Code for all eras does not depend on the 2025 era, which can be disabled (`protocols`). */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const MCP = join(import.meta.dirname, '../../src/mcp')

test('nothing in src/mcp imports the 2025 era', () => {
  const files = readdirSync(MCP, { encoding: 'utf8', recursive: true }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('legacy/'),
  )
  const found = files.filter((file) => readFileSync(join(MCP, file), 'utf8').includes('legacy/'))
  expect(files.length).toBeGreaterThan(10)
  expect(found).toEqual([])
})
