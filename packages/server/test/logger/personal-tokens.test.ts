/** Personal access tokens in log lines: redacted anywhere, truncated ones included. */

import { expect, test } from 'vitest'
import { createLogger } from '../../src/logger.ts'

const TOKEN = `mcp_pat_${'aB3'.repeat(16)}Z`

test.each([
  ['in a message', (text: string) => ({ fields: {}, message: text })],
  ['in a field', (text: string) => ({ fields: { note: text }, message: 'x' })],
  ['in an error', (text: string) => ({ fields: { err: new Error(text) }, message: 'x' })],
  ['in a key', (text: string) => ({ fields: { [text]: 1 }, message: 'x' })],
])('%s', (_where, lineOf) => {
  for (const text of [TOKEN, `url?t=${TOKEN}`, `"${TOKEN}"`, `\\n${TOKEN}`, TOKEN.slice(0, 30)]) {
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    const log = createLogger({ level: 'trace', name: 'test', version: '1', destination })
    const { fields, message } = lineOf(text)
    log.info(fields, message)
    log.audit(fields, message)
    const written = lines.join('')
    expect(written).not.toContain('aB3aB3')
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow()
  }
})
