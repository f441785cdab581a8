/** The redactor: collects values of masked fields from any source, and masks them in texts. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRedactor, masked } from '../../src/output/mask.ts'
import { compileOutputSchema } from '../../src/output/output-schema.ts'

const secret = masked(z.string(), { right: 2 })

function redactorFor(shape: z.ZodRawShape, ...learnt: readonly unknown[]) {
  const redactor = createRedactor(compileOutputSchema(z.object(shape)).masksByField)
  for (const value of learnt) redactor.learn(value)
  return redactor
}

describe('a masked value is hidden in other texts', () => {
  it.each<[string, z.ZodType, unknown]>([
    ['a field', secret, 'secret-1'],
    ['an optional field', secret.optional(), 'secret-1'],
    ['a nullable field', secret.nullable(), 'secret-1'],
    ['a field with a default', secret.default('none'), 'secret-1'],
    ['a piped field', secret.pipe(z.string()), 'secret-1'],
    ['an array', z.array(secret), ['other', 'secret-1']],
    ['a record', z.record(z.string(), secret), { key: 'secret-1' }],
    ['a union', z.union([z.number(), secret]), 'secret-1'],
    ['an object', z.object({ inner: secret }), { inner: 'secret-1' }],
    ['a list of objects', z.array(z.object({ inner: secret })), [{ inner: 'secret-1' }]],
  ])('from %s', (_where, field, value) => {
    const redactor = redactorFor({ field }, { deep: [{ field: value }] })
    expect(redactor.scrub('got secret-1!')).toBe('got ******-1!')
  })

  it('under every field, if one schema is used for several', () => {
    const redactor = redactorFor(
      { iban: secret, formerIban: secret.optional() },
      { iban: 'secret-1', formerIban: 'secret-2' },
    )
    expect(redactor.scrub('secret-1 secret-2')).toBe('******-1 ******-2')
  })

  it('by the mask that shows less, where two fields share a name', () => {
    const open = masked(z.string(), { left: 6 })
    for (const [a, b] of [
      [secret, open],
      [open, secret],
    ] as const) {
      const shape = { a: z.object({ iban: a }), b: z.object({ iban: b }) }
      expect(redactorFor(shape, { iban: 'secret-1' }).scrub('secret-1')).toBe('******-1')
    }
  })

  it('if it was a number', () => {
    expect(redactorFor({ id: secret }, { id: 12345678 }).scrub('no 12345678')).toBe('no ******78')
  })

  it('completely, if another hidden value is part of it', () => {
    const redactor = redactorFor({ a: secret, b: secret }, { a: 'abcd', b: 'xxabcdyy' })
    expect(redactor.scrub('xxabcdyy')).toBe('******yy')
  })

  it('if its shown part looks like a pattern', () => {
    expect(redactorFor({ a: secret }, { a: 'secret$&' }).scrub('a secret$&')).toBe('a ******$&')
  })
})

describe('the redactor', () => {
  it('does not hide values of less than four letters, booleans and null', () => {
    const redactor = redactorFor(
      { a: secret },
      { a: 'yes' },
      { a: true },
      { a: null },
      { a: undefined },
    )
    expect(redactor.scrub('yes true null undefined')).toBe('yes true null undefined')
  })

  it('accepts cyclic values', () => {
    const ring: Record<string, unknown> = { a: 'secret-1' }
    ring.self = ring
    expect(redactorFor({ a: secret }, ring).scrub('secret-1')).toBe('******-1')
  })

  it('accepts values of any depth', () => {
    let deep: unknown = { a: 'secret-1' }
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep]
    expect(redactorFor({ a: secret }, deep).scrub('secret-1')).toBe('******-1')
  })
})
