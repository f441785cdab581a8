/** The generated reference and the example file: complete, loadable and up to date. */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { variables } from '../../src/config/variables.ts'
import { load } from './load.ts'

const root = join(import.meta.dirname, '../../../..')
const example = readFileSync(join(root, '.env.example'), 'utf8')
const copy = mkdtempSync(join(tmpdir(), 'docs-'))
afterAll(() => rmSync(copy, { recursive: true }))

function docs(cwd: string, ...args: string[]) {
  const script = join(root, 'scripts/docs.ts')
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs')
  return spawnSync(process.execPath, [tsx, script, ...args], { cwd, encoding: 'utf8' })
}

describe('.env.example', () => {
  it('loads as it is and changes nothing', () => {
    expect(load({}, { files: { '.env': example } })).toEqual(load())
  })

  it('loads with every line uncommented and changes nothing but the store', () => {
    const uncommented = example.replaceAll(/^# (?=[A-Z_]+=)/gm, '')
    const { config } = load({}, { files: { '.env': uncommented } })
    expect({ ...config, store: undefined }).toEqual({ ...load().config, store: undefined })
  })

  it.each(Object.keys(variables.shape))('has %s', (name) => {
    expect(example).toMatch(new RegExp(`^# ${name}=`, 'm'))
  })
})

describe('npm run docs -- --check', () => {
  it('passes on what is in the repository', () => {
    const { status, stderr } = docs(root, '--check')
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  it('fails on a file that was edited and on one that is missing', () => {
    cpSync(join(root, 'docs/configuration.md'), join(copy, 'docs/configuration.md'))
    writeFileSync(join(copy, 'docs/configuration.md'), 'edited', { flag: 'a' })
    const { status, stderr } = docs(copy, '--check')
    expect(status).toBe(1)
    expect(stderr).toContain('docs/configuration.md is out of date')
    expect(stderr).toContain('.env.example is out of date')
  })

  it('passes again once they were written', () => {
    expect(docs(copy).status).toBe(0)
    expect(docs(copy, '--check').status).toBe(0)
    expect(readFileSync(join(copy, '.env.example'), 'utf8')).toBe(example)
  })
})
