/** `mcp-template new tools --diff`: changes of a document since tools were generated. */

import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ACCOUNT, createBank, PATHS } from './bank.ts'
import { operationWith } from './generated.ts'

const text = { type: 'string' }
const { newTools, project, written, writeDocument, reset, remove } = createBank()
beforeEach(reset)
afterEach(remove)

describe('--diff', () => {
  it('lists changed and removed operations, and those without a tool, and writes nothing', async () => {
    await newTools('--only', '/accounts/**', '--only', 'listAccounts')
    expect(await newTools('--diff')).toBe('3 tools are up to date; 2 operations have no tool.')
    const changed = structuredClone(PATHS) as Record<string, Record<string, object>>
    changed['/accounts/{id}'] = {
      get: {
        ...operationWith({ ...ACCOUNT, required: ['id'] }, { summary: 'New' }),
        operationId: 'getAccount',
      },
    }
    changed['/accounts'] = { get: { ...PATHS['/accounts'].get, deprecated: true } }
    writeDocument(changed)
    cpSync(join(project, 'src'), join(project, 'before'), { recursive: true })
    expect((await newTools('--diff')).split('\n')).toEqual([
      'close_account.ts: DELETE /accounts/{id} is gone',
      'get_account.ts: GET /accounts/{id} has changed: text, answer',
      'list_accounts.ts: GET /accounts can no longer be a tool: it is deprecated',
      '0 tools are up to date; 2 operations have no tool.',
    ])
    for (const name of written()) {
      const [now, before] = ['src', 'before'].map((folder) => join(project, folder, 'tools', name))
      expect(readFileSync(now ?? '', 'utf8')).toBe(readFileSync(before ?? '', 'utf8'))
    }
  })

  it('compares through references, and ignores options and the order of names', async () => {
    const $ref = '#/components/schemas/Account'
    const referring = { '/a': { get: operationWith({ $ref }, { operationId: 'getAccount' }) } }
    const components = (schema: object) => ({
      components: {
        schemas: {
          Account: { properties: { owner: { $ref: '#/components/schemas/Owner' } } },
          Owner: schema,
        },
      },
    })
    writeDocument(referring, components({ type: 'object', properties: { name: text, iban: text } }))
    await newTools('--only', 'getAccount', '--depth', '1')
    writeDocument(referring, components({ properties: { iban: text, name: text }, type: 'object' }))
    expect(await newTools('--diff')).toContain('1 tools are up to date')
    writeDocument(referring, components({ type: 'object', properties: { name: text } }))
    expect(await newTools('--diff')).toContain('get_account.ts: GET /a has changed: answer')
  })

  it('requires generated tools', async () => {
    await expect(newTools('--diff')).rejects.toThrow(/No file in .*src\/tools was written/)
  })
})
