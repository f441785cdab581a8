/** A project and the document of a bank, for tests of the command that reads it. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { writeNew } from '../../src/cli/new.ts'
import { documentOf, operationWith } from './generated.ts'

const text = { type: 'string' }

export const ACCOUNT = { type: 'object', properties: { id: text, iban: text } }

export const PATHS = {
  '/accounts': {
    get: operationWith({ type: 'array', items: ACCOUNT }, { operationId: 'listAccounts' }),
  },
  '/accounts/{id}': {
    get: operationWith(ACCOUNT, { operationId: 'getAccount', tags: ['reading'] }),
    delete: { operationId: 'closeAccount', responses: {} },
  },
  '/accounts/{id}/old': { get: operationWith(ACCOUNT, { operationId: 'old', deprecated: true }) },
  '/cards/{id}/pin': { get: operationWith(text, { tags: ['reading'] }) },
}

export function createBank() {
  const project = mkdtempSync(join(tmpdir(), 'new-tools-'))
  const file = join(project, 'openapi.json')

  function writeDocument(paths: object, further: object = {}): void {
    writeFileSync(file, JSON.stringify(documentOf(paths, further)))
  }

  /** The output of the command. */
  async function run(...args: string[]): Promise<string> {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    try {
      await writeNew(['tools', '--project', project, ...args])
      return log.mock.calls.flat().join('\n')
    } finally {
      log.mockRestore()
    }
  }

  return {
    project,
    run,
    writeDocument,
    newTools: (...args: string[]) => run('--openapi', file, ...args),
    written: () =>
      existsSync(join(project, 'src')) ? readdirSync(join(project, 'src/tools')).sort() : [],
    reset() {
      mkdirSync(project, { recursive: true })
      writeDocument(PATHS, { servers: [{ url: 'https://api.example.com/v1' }] })
    },
    remove: () => rmSync(project, { recursive: true }),
  }
}
