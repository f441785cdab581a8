/** `mcp-template new tools`: what it lists, writes and refuses, in a temporary folder. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UsageError } from '../../src/cli/command-line.ts'
import { createBank, PATHS } from './bank.ts'

const { newTools, project, run, written, writeDocument, reset, remove } = createBank()
beforeEach(reset)
afterEach(remove)

describe('without a selection', () => {
  it('lists the operations with their sizes, and writes nothing', async () => {
    const output = await newTools()
    expect(output).toMatch(/^GET \/accounts\/\{id\} \(getAccount\) {2}0\.\d kB$/m)
    expect(output).toContain('GET /accounts/{id}/old (old)  skipped: it is deprecated')
    expect(output).toMatch(/4 of 5 operations can be tools: \d\.\d kB in tools\/list\. Nothing/)
    expect(written()).toEqual([])
  })
})

describe('a path that refers to another file', () => {
  it('is named and not followed', async () => {
    writeDocument({ ...PATHS, '/x': { $ref: './x.json' } })
    const output = await newTools()
    expect(output).toContain('Skipped /x: refers outside of the document: ./x.json.')
    expect(output).toContain('4 of 5 operations')
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

  it('lists written and skipped files, and the next steps', async () => {
    const output = await newTools('--only', '/accounts/{id}/**', '--only', 'getAccount')
    expect(output).toContain('Skipped GET /accounts/{id}/old (old): it is deprecated.')
    expect(output).toContain('Wrote 1 tool with its test to src/tools: get_account.')
    expect(output).toContain('set UPSTREAM_API_URL')
    expect(output).toContain('https://api.example.com/v1')
  })

  it('writes to --out, under any existing name', async () => {
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

describe('existing files', () => {
  it('are kept, and nothing is written', async () => {
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

  it('that were not generated are kept even with --force', async () => {
    mkdirSync(join(project, 'src/tools'), { recursive: true })
    writeFileSync(join(project, 'src/tools/get_account.ts'), 'mine')
    await expect(newTools('--only', 'getAccount', '--force')).rejects.toThrow(
      /get_account\.ts was not written from OpenAPI/,
    )
    expect(written()).toEqual(['get_account.ts'])
  })

  it('are unchanged if one cannot be written', async () => {
    await newTools('--only', 'getAccount')
    const before = readFileSync(join(project, 'src/tools/get_account.ts'), 'utf8')
    rmSync(join(project, 'src/tools/get_account.test.ts'))
    // A folder in place of the file, which cannot be overwritten.
    mkdirSync(join(project, 'src/tools/get_account.test.ts'))
    await expect(newTools('--only', '/accounts/**', '--force')).rejects.toThrow(UsageError)
    expect(readFileSync(join(project, 'src/tools/get_account.ts'), 'utf8')).toBe(before)
    expect(written().sort()).toEqual(['get_account.test.ts', 'get_account.ts'])
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
    [['--only', 'old'], /^None of the selected operations can become a tool/],
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
