/** `expectNoLeak` finds secrets in every encoding. */

import { describe, expect, it } from 'vitest'
import { expectNoLeak } from '../../src/testing/leaks.ts'

const SECRET = 'p@ss "wörd"/ü+1'

const encoded: Record<string, string> = {
  raw: SECRET,
  base64: Buffer.from(SECRET).toString('base64'),
  base64url: Buffer.from(SECRET).toString('base64url'),
  'base64 of a longer text': Buffer.from(`x${SECRET}yz`).toString('base64'),
  'base64 of an even longer text': Buffer.from(`xy${SECRET}z`).toString('base64'),
  hex: Buffer.from(SECRET).toString('hex'),
  'capital hex': Buffer.from(SECRET).toString('hex').toUpperCase(),
  'a URL': `https://example.com/?q=${encodeURIComponent(SECRET)}`,
  'a form': new URLSearchParams({ q: SECRET }).toString(),
  JSON: JSON.stringify({ q: SECRET }),
  'JSON in JSON': JSON.stringify(JSON.stringify({ q: SECRET })),
}

const places: Record<string, (said: string) => Parameters<typeof expectNoLeak>[0]> = {
  'the structure': (said) => ({ structuredContent: { deep: [{ said }] } }),
  'the name of a field': (said) => ({ structuredContent: { [said]: 1 } }),
  'the text': (said) => ({ text: `so: ${said}.` }),
  'the log': (said) => ({ log: [{ level: 'info', fields: { said } }] }),
  progress: (said) => ({ progress: [{ done: 1, message: said }] }),
}

describe.each(Object.entries(places))('a leak through %s', (_place, leaking) => {
  it.each(Object.entries(encoded))('is found: %s', (_form, said) => {
    expect(() => expectNoLeak(leaking(said), [SECRET])).toThrow(/leaks through/)
  })
})

describe('expectNoLeak', () => {
  it('passes where there is no leak', () => {
    for (const leaking of Object.values(places)) {
      expectNoLeak(leaking('something else'), [SECRET, 'another secret'])
    }
    expectNoLeak({}, [SECRET])
  })

  it('refuses a secret that is so short that it could match by chance', () => {
    expect(() => expectNoLeak({}, ['12345'])).toThrow(RangeError)
  })
})
