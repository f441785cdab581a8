/** No test of the framework depends on the starter, whose samples a team may delete. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, '..')

test('no test of the framework imports the starter', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const importing = files
    .filter((file) => /\.[cm]?[jt]s$/.test(file))
    .filter((file) =>
      /(?:from|import)[ (]+['"][^'"\n]*\/starter\//.test(readFileSync(join(folder, file), 'utf8')),
    )
  expect(importing).toEqual([])
})
