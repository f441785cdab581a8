/** `mcp-template new tools`: what it lists, writes, refuses and compares, in a folder of the test. */

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { UsageError } from '../../src/cli/command-line.ts'
import { writeNew } from '../../src/cli/new.ts'
import { answering, documentOf } from './generated.ts'

const text = { type: 'string' }
const account = { type: 'object', properties: { id: text, iban: text } }

const paths = {
  '/accounts': {
    get: answering({ type: 'array', items: account }, { operationId: 'listAccounts' }),
  },
  '/accounts/{id}': {
    get: answering(account, { operationId: 'getAccount', tags: ['reading'] }),
    delete: { operationId: 'closeAccount', responses: {} },
  },
  '/accounts/{id}/old': { get: answering(account, { operationId: 'old', deprecated: true }) },
  '/cards/{id}/pin': { get: answering(text, { tags: ['reading'] }) },
}

let project: string
let file: string

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'new-tools-'))
  file = join(project, 'openapi.json')
  writeDocument(paths, { servers: [{ url: 'https://api.example.com/v1' }] })
})
afterEach(() => rmSync(project, { recursive: true }))

function writeDocument(paths: object, further: object = {}): void {
  writeFileSync(file, JSON.stringify(documentOf(paths, further)))
}

/** What the command prints. */
async function run(...args: string[]): Promise<string> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    await writeNew(['tools', '--project', project, ...args])
    return log.mock.calls.flat().join('\n')
  } finally {
    log.mockRestore()
  }
}

const newTools = (...args: string[]) => run('--openapi', file, ...args)
const written = () =>
  existsSync(join(project, 'src')) ? readdirSync(join(project, 'src/tools')) : []

describe('without a selection', () => {
  it('lists the operations with their sizes, and writes nothing', async () => {
    const output = await newTools()
    expect(output).toMatch(/^GET \/accounts\/\{id\} \(getAccount\) {2}0\.\d kB$/m)
    expect(output).toContain('GET /accounts/{id}/old (old)  skipped: it is deprecated')
    expect(output).toMatch(/5 operations, of which 4 can be tools: \d+ kB in tools\/list\. Nothing/)
    expect(written()).toEqual([])
  })
})

describe('a path that refers to another file', () => {
  it('is named and not followed', async () => {
    writeDocument({ ...paths, '/x': { $ref: './x.json' } })
    const output = await newTools()
    expect(output).toContain('Skipped /x: refers outside of the document: ./x.json.')
    expect(output).toContain('5 operations')
  })
})

describe('a selection', () => {
  it.each([
    [['--only', 'getAccount'], ['get_account']],
    [['--only', 'get_account'], ['get_account']],
    [['--only', 'GET /accounts/*'], ['get_account']],
    [
      ['--only', '/accounts/**'],
      ['close_account', 'get_account'],
    ],
    [
      ['--only', '*Account'],
      ['close_account', 'get_account'],
    ],
    [
      ['--only', 'DELETE **', '--only', 'listAccounts'],
      ['close_account', 'list_accounts'],
    ],
    [
      ['--tag', 'reading'],
      ['get_account', 'get_cards_id_pin'],
    ],
    [['--tag', 'reading', '--only', '/cards/**'], ['get_cards_id_pin']],
  ])('of %j writes these tools, each with a test', async (args, names) => {
    await newTools(...args)
    expect(written().sort()).toEqual(names.flatMap((name) => [`${name}.test.ts`, `${name}.ts`]))
  })

  it('says what was written and skipped, and what to do next', async () => {
    const output = await newTools('--only', '/accounts/{id}/**', '--only', 'getAccount')
    expect(output).toContain('Skipped GET /accounts/{id}/old (old): it is deprecated.')
    expect(output).toContain('Wrote 1 tool with its test to src/tools: get_account.')
    expect(output).toContain('set UPSTREAM_API_URL')
    expect(output).toContain('https://api.example.com/v1')
  })

  it('goes where --out says, with any name that it has there', async () => {
    await newTools('--only', 'getAccount', '--out', 'src/tools/bank')
    expect(existsSync(join(project, 'src/tools/bank/get_account.ts'))).toBe(true)
  })

  it('with --dry-run writes nothing', async () => {
    expect(await newTools('--only', 'getAccount', '--dry-run')).toContain(
      'Would write src/tools/get_account.ts',
    )
    expect(written()).toEqual([])
  })

  it('of more than 40 needs --yes', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 41 }, (_, at) => [`/x${at}`, { get: { responses: {} } }]),
    )
    writeDocument(many)
    await expect(newTools('--only', '**')).rejects.toThrow(/41 tools.*--yes/)
    expect(written()).toEqual([])
    await newTools('--only', '**', '--yes')
    expect(written()).toHaveLength(82)
  })
})

describe('files that are there', () => {
  it('are kept, and nothing is written beside them', async () => {
    await newTools('--only', 'getAccount')
    const tool = join(project, 'src/tools/get_account.ts')
    writeFileSync(tool, `${readFileSync(tool, 'utf8')}// edited\n`)
    await expect(newTools('--only', '/accounts/**')).rejects.toThrow(/get_account\.ts.*--force/)
    expect(readFileSync(tool, 'utf8')).toContain('// edited')
    expect(written()).toHaveLength(2)
    await newTools('--only', '/accounts/**', '--force')
    expect(readFileSync(tool, 'utf8')).not.toContain('// edited')
    expect(written()).toHaveLength(4)
  })

  it('of somebody else are kept even with --force', async () => {
    mkdirSync(join(project, 'src/tools'), { recursive: true })
    writeFileSync(join(project, 'src/tools/get_account.ts'), 'mine')
    await expect(newTools('--only', 'getAccount', '--force')).rejects.toThrow(
      /get_account\.ts was not written from OpenAPI/,
    )
    expect(written()).toEqual(['get_account.ts'])
  })

  it('are as before when one cannot be written', async () => {
    await newTools('--only', 'getAccount')
    const before = readFileSync(join(project, 'src/tools/get_account.ts'), 'utf8')
    rmSync(join(project, 'src/tools/get_account.test.ts'))
    // A folder in place of the file: it cannot be written over.
    mkdirSync(join(project, 'src/tools/get_account.test.ts'))
    await expect(newTools('--only', '/accounts/**', '--force')).rejects.toThrow(UsageError)
    expect(readFileSync(join(project, 'src/tools/get_account.ts'), 'utf8')).toBe(before)
    expect(written().sort()).toEqual(['get_account.test.ts', 'get_account.ts'])
  })
})

describe('--diff', () => {
  it('says what changed, what is gone, and what has no tool, and writes nothing', async () => {
    await newTools('--only', '/accounts/**', '--only', 'listAccounts')
    expect(await newTools('--diff')).toBe(
      '3 tools are as the document is; 2 operations have no tool.',
    )
    const changed = structuredClone(paths) as Record<string, Record<string, object>>
    changed['/accounts/{id}'] = {
      get: {
        ...answering({ ...account, required: ['id'] }, { summary: 'New' }),
        operationId: 'getAccount',
      },
    }
    changed['/accounts'] = { get: { ...paths['/accounts'].get, deprecated: true } }
    writeDocument(changed)
    cpSync(join(project, 'src'), join(project, 'before'), { recursive: true })
    expect((await newTools('--diff')).split('\n')).toEqual([
      'close_account.ts: DELETE /accounts/{id} is gone',
      'get_account.ts: GET /accounts/{id} has changed: text, answer',
      'list_accounts.ts: GET /accounts can no longer be a tool: it is deprecated',
      '0 tools are as the document is; 2 operations have no tool.',
    ])
    for (const name of written()) {
      const [now, before] = ['src', 'before'].map((folder) => join(project, folder, 'tools', name))
      expect(readFileSync(now ?? '', 'utf8')).toBe(readFileSync(before ?? '', 'utf8'))
    }
  })

  it('needs something to compare', async () => {
    await expect(newTools('--diff')).rejects.toThrow(/No file in .*src\/tools was written/)
  })
})

describe('refuses', () => {
  it.each([
    [[], /^Name the document: --openapi FILE$/],
    [['--openapi', 'none.json'], /^Cannot read none\.json: there is no such file\.$/],
    [['--openapi', '.'], /^Cannot read \.: it is a folder\.$/],
    [['--openapi', import.meta.filename], /^Cannot use .*(neither JSON nor YAML|no object)/],
    [['more', '--openapi', 'x'], /selected with --only, not with "more"/],
    [['--colour', 'x'], /--colour/],
  ])('%j', async (args, message) => {
    const failure = await run(...args).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(UsageError)
    expect((failure as Error).message).toMatch(message)
  })

  it.each([
    [['--only', 'nothing'], /^No operation matches/],
    [['--tag', 'nothing'], /^No operation matches/],
    [['--only', 'old'], /^Nothing is left to write/],
    [['--only', 'getAccount', '--depth', '0'], /--depth must be an integer between 1 and 10/],
    [['--only', 'getAccount', '--depth', 'x'], /--depth must be/],
    [['--only', 'getAccount', '--out', '../elsewhere'], /--out must be src\/tools/],
    [['--only', 'getAccount', '--out', 'src/tools/../../x'], /--out must be src\/tools/],
    [['--only', 'getAccount', '--out', '/tmp'], /--out must be src\/tools/],
  ])('%j, and writes nothing', async (args, message) => {
    const failure = await newTools(...args).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(UsageError)
    expect((failure as Error).message).toMatch(message)
    expect(written()).toEqual([])
  })
})
