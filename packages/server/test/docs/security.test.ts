/** Each threat in docs/security.md names an existing test, and every test of an attack is listed. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Document, linksOf, ROOT, readDocuments } from './markdown.ts'

const documents = readDocuments()
const find = (file: string): Document =>
  documents.find((each) => each.file === file) ?? expect.fail(`no ${file}`)
const security = find('docs/security.md')

/** The rows of all tables of threats, without their heads. */
const rows = security.prose
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:Threat|Attack|---) /.test(line))
  .map((line) => {
    const cells = line.split('|').map((cell) => cell.trim())
    return { threat: cells[1] ?? '', tests: linksOf({ ...security, prose: cells.at(-2) ?? '' }) }
  })

const named = new Set(
  rows.flatMap(({ tests }) => tests.map((link) => normalize(join('docs', link)))),
)

describe('docs/security.md', () => {
  it('has its threats in tables', () => {
    expect(rows.length).toBeGreaterThan(40)
  })

  it.each(rows)('names an existing test: $threat', ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0)
    for (const test of tests) {
      const path = join(ROOT, 'docs', test)
      expect(existsSync(path), test).toBe(true)
      expect(readFileSync(path, 'utf8'), test).toMatch(/\b(?:test|it)(?:\.each)?\(/)
    }
  })

  it('names every test of an attack', () => {
    const attacks = readdirSync(join(ROOT, 'packages/server/test/attacks')).filter((name) =>
      name.endsWith('.test.ts'),
    )
    const missing = attacks.filter((name) => !named.has(`packages/server/test/attacks/${name}`))
    expect(missing).toEqual([])
  })

  it('says what remains', () => {
    expect(security.prose).toContain('## What remains')
  })
})

describe('SECURITY.md', () => {
  const { text } = find('SECURITY.md')

  it('says how to report a weakness, and where the threats are', () => {
    expect(text).toContain('Report a vulnerability')
    expect(text).toContain('do not open a public issue')
    expect(linksOf(find('SECURITY.md')).map((link) => basename(link))).toContain('security.md')
  })
})
