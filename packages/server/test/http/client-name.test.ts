/** Client names on pages (spoofing). */

import { describe, expect, test } from 'vitest'
import { clientNameOnPage } from '../../src/http/pages/client-name.ts'

describe('the name of a client on a page', () => {
  test.each([
    ['Claude', 'Claude'],
    ['  two\n\twords ', 'two words'],
    ['\u202egnp.live', 'gnp.live'],
    ['a\u0000b\u200bc\u2066d\ud800', 'abcd'],
    ['many   spaces', 'many spaces'],
    ['\u200b \u2060', 'nameless'],
    ['\u3164\u115f\uffa0 \u2800\ufe0f', 'nameless'],
    ['Cl\u034faude\u2800', 'Claude'],
    ['', 'nameless'],
    [undefined, 'nameless'],
    ['😀'.repeat(90), '😀'.repeat(80)],
  ])('%j is shown as %j', (given, shown) => {
    expect(clientNameOnPage(given, 'nameless')).toBe(shown)
  })
})
