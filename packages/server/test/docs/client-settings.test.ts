/** The settings of clients in documents are those of the landing page. */

import { describe, expect, it } from 'vitest'
import { clientSettings } from '../../src/http/pages/client-settings.ts'
import { type CodeBlock, readDocuments } from './markdown.ts'

const server = { name: 'MCP Template', url: 'http://localhost:6901/mcp', tokenRequired: false }
const given = clientSettings(server).flatMap(({ steps }) =>
  steps.flatMap((step) => (typeof step === 'string' ? [] : [step])),
)
const blocks = readDocuments().flatMap((document) => document.blocks)

/** Settings for a server on this machine, in files and in commands. */
const files = blocks.filter(
  ({ language, code }) =>
    language === 'json' && /"(mcpServers|servers)"/.test(code) && !code.includes('https://'),
)
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ place, code }) =>
    code
      .split('\n')
      .flatMap((line) => (line.startsWith('claude mcp add') ? [{ place, line }] : [])),
  )
  .filter(({ line }) => line.includes('localhost'))

describe('settings in the documents', () => {
  it('exist for the clients with configuration files', () => {
    expect(files.length).toBeGreaterThanOrEqual(3)
    expect(commands.length).toBeGreaterThanOrEqual(1)
  })

  it.each(files)('are those of the landing page: $place', ({ code }: CodeBlock) => {
    const known = given.flatMap((each) => (each.language === 'json' ? [JSON.parse(each.code)] : []))
    expect(known).toContainEqual(JSON.parse(code))
  })

  it.each(commands)('are those of the landing page: $place $line', ({ line }) => {
    expect(given.map(({ code }) => code)).toContain(line)
  })
})
