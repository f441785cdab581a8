/** The message of a refusal, in the formats that APIs use. */

import { expect, test } from 'vitest'
import { problemText } from '../../src/upstream/problem-text.ts'

test.each([
  [
    { type: 'about:blank', title: 'Bad Request', detail: 'The title is too long.' },
    'The title is too long.',
  ],
  [
    { message: 'Validation Failed', errors: [{ field: 'title', message: 'is missing' }] },
    'Validation Failed; title: is missing',
  ],
  [{ errors: ['a is missing', 'b is missing'] }, 'a is missing; b is missing'],
  [
    { errors: { title: ["can't be blank", 'is too short'] } },
    "title: can't be blank; title: is too short",
  ],
  [
    {
      error: {
        code: 400,
        message: 'Invalid value',
        details: [{ field: 'x', description: 'negative' }],
      },
    },
    'Invalid value; x: negative',
  ],
  [{ error: 'invalid_request', error_description: 'No such account' }, 'No such account'],
  [
    { detail: [{ loc: ['body', 'age'], msg: 'Input should be a number' }] },
    'body.age: Input should be a number',
  ],
  [{ errors: [{ detail: 'is taken', source: { pointer: '/data/name' } }] }, '/data/name: is taken'],
  ['Not allowed', 'Not allowed'],
  ['<!DOCTYPE html><p>proxy', undefined],
  [{ code: 7 }, undefined],
  [undefined, undefined],
  [null, undefined],
  [[], undefined],
])('%j says %j', (body, words) => {
  expect(problemText(body)).toBe(words)
})

test('long and deep bodies are bounded', () => {
  let deep: object = { message: 'bottom' }
  for (let level = 0; level < 10_000; level += 1) deep = { errors: [deep] }
  expect(problemText(deep)).toBeUndefined()
  const many = { errors: Array.from({ length: 10_000 }, (_, index) => `line ${index}`) }
  expect(problemText(many)?.split('; ')).toHaveLength(20)
})
