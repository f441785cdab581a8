/** Fields whose values have titles. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { choice, choices, form } from '../../src/engine/index.ts'

const LANGUAGES = { de: 'German', en: 'English' }
const OPTIONS = [
  { const: 'de', title: 'German' },
  { const: 'en', title: 'English' },
]

function requested(field: z.ZodType): unknown {
  const { params } = form('Which?', z.object({ field })).request
  const { requestedSchema } = params as { requestedSchema: { properties: { field: unknown } } }
  return requestedSchema.properties.field
}

function accept(field: z.ZodType, value: unknown) {
  const responses = { answer: { action: 'accept', content: { field: value } } }
  return form('Which?', z.object({ field })).read(responses, 'answer')
}

describe('a choice', () => {
  it('lists its titles in the form', () => {
    expect(requested(choice(LANGUAGES))).toEqual({ type: 'string', oneOf: OPTIONS })
  })

  it('can have a default and a description', () => {
    const field = choice(LANGUAGES).default('en').describe('What you speak')
    expect(requested(field)).toMatchObject({ default: 'en', description: 'What you speak' })
  })

  it('accepts its values and nothing else', () => {
    expect(accept(choice(LANGUAGES), 'de')).toEqual({ action: 'accept', content: { field: 'de' } })
    for (const value of ['German', 'fr', 'toString', '', 1, null]) {
      expect(accept(choice(LANGUAGES), value)).toBeUndefined()
    }
  })
})

describe('choices', () => {
  it('list their titles in the form, within bounds', () => {
    const expected = { type: 'array', items: { anyOf: OPTIONS }, minItems: 1, maxItems: 2 }
    expect(requested(choices(LANGUAGES).min(1).max(2))).toEqual(expected)
  })

  it('accept their values and nothing else', () => {
    const content = { field: ['de', 'en'] }
    expect(accept(choices(LANGUAGES), ['de', 'en'])).toEqual({ action: 'accept', content })
    expect(accept(choices(LANGUAGES), ['de', 'fr'])).toBeUndefined()
  })
})

describe('a form with named schemas', () => {
  it('has no references', () => {
    const Language = choice(LANGUAGES).meta({ id: 'FormLanguage' })
    const Form = z.object({ field: Language }).meta({ id: 'NamedForm' })
    const { params } = form('Which?', Form).request
    expect(params).toMatchObject({
      requestedSchema: {
        type: 'object',
        properties: { field: { type: 'string', oneOf: OPTIONS } },
        required: ['field'],
      },
    })
    expect(JSON.stringify(params)).not.toContain('$ref')
  })
})
