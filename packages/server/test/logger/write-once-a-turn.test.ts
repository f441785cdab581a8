/** Log lines of one turn of the event loop, in one write. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { writeOnceATurn } from '../../src/logger.ts'

function written() {
  const writes: string[] = []
  return { writes, writer: writeOnceATurn({ write: (text) => void writes.push(text) }) }
}

test('lines of one turn are written together, in order', async () => {
  const { writes, writer } = written()
  writer.write('one\n')
  writer.write('two\n')
  expect(writes).toEqual([])
  await nextTurn()
  writer.write('three\n')
  await nextTurn()
  expect(writes).toEqual(['one\ntwo\n', 'three\n'])
})

test('pending lines are written when the process ends', async () => {
  const { writes, writer } = written()
  writer.write('last words\n')
  writer.flush()
  expect(writes).toEqual(['last words\n'])
  await nextTurn()
  expect(writes).toEqual(['last words\n'])
})

test('a write has a maximum of bytes, unless one line exceeds it', async () => {
  const writes: string[] = []
  const writer = writeOnceATurn({ write: (text) => void writes.push(text) }, 10)
  for (const line of ['one\n', 'two\n', 'ünf\n', 'a long line\n', 'six\n']) writer.write(line)
  await nextTurn()
  expect(writes).toEqual(['one\ntwo\n', 'ünf\n', 'a long line\n', 'six\n'])
})
