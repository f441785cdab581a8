/** A team's settings in `.env.example` and in Markdown. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import {
  isOutdated,
  settingsSection,
  settingsTable,
  withSection,
} from '../../src/config/document-settings.ts'
import { loadConfig } from '../../src/config.ts'

const settings = z.object({
  SHOP_REGION: z.enum(['eu', 'us']).default('eu').describe('Where orders are kept'),
  SHOP_PAGE: z.coerce.number().int().min(1).max(100).default(20),
  SHOP_DRY_RUN: z.stringbool().default(false),
  SHOP_GREETING: z.string().describe('Said first.').default('Hello, "you"'),
  SHOP_KEY: z.string().min(16).describe('Signs webhooks.').meta({ secret: true }),
  SHOP_DATABASE: z.url().default('sqlite:a-password').meta({ secret: true }),
  SHOP_HOSTS: z
    .string()
    .transform((text) => text.split(','))
    .prefault('a,b'),
  SHOP_THROWS: z.string().transform((): string => {
    throw new Error('no')
  }),
})

describe('the section', () => {
  it('has descriptions, values and defaults; required ones are not comments', () => {
    expect(settingsSection(settings)?.split('\n\n').slice(1, -1)).toEqual([
      '# Where orders are kept. Value: eu or us.\n# SHOP_REGION=eu',
      '# Value: an integer from 1 to 100.\n# SHOP_PAGE=20',
      '# Value: true or false.\n# SHOP_DRY_RUN=false',
      `# Said first.\n# SHOP_GREETING='Hello, "you"'`,
      '# Signs webhooks. Value: a text of at least 16 characters. Required. Secret; SHOP_KEY_FILE can\n# name a file with it.\nSHOP_KEY=',
      '# Value: a URL. Secret; SHOP_DATABASE_FILE can name a file with it.\n# SHOP_DATABASE=',
      '# SHOP_HOSTS=a,b',
      '# Required.\nSHOP_THROWS=',
    ])
  })

  it('is read by the server, with the same values as without it', () => {
    const { SHOP_KEY: _key, SHOP_THROWS: _throws, ...shape } = settings.shape
    const schema = z.object(shape)
    const folder = mkdtempSync(join(tmpdir(), 'settings-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const read = (text: string) => {
      writeFileSync(join(folder, '.env'), text)
      return loadConfig({ env: {}, cwd: folder, settings: schema }).settings.values
    }
    const example = settingsSection(schema) ?? ''
    const uncommented = example.replaceAll(/^# (?=SHOP_\w+=)/gm, '')
    expect(read(uncommented)).toEqual(read(''))
    expect(read(example)).toEqual(read(''))
  })

  it('does not exist without settings', () => {
    expect(settingsSection(undefined)).toBeUndefined()
    expect(settingsSection(z.object({}))).toBeUndefined()
  })
})

describe('a `.env.example`', () => {
  const section = settingsSection(settings) ?? ''
  const other = settingsSection(z.object({ DESK: z.string() })) ?? ''

  it.each(['\n', '\r\n'])('gets the section, and keeps its lines', (lineBreak) => {
    const of = (text: string) => text.replaceAll('\n', lineBreak)
    const written = withSection(of('# Ours\nA=1\n\n'), section)
    expect(written).toBe(of(`# Ours\nA=1\n\n${section}\n`))
    expect(withSection(written, section)).toBe(written)
    const below = `${written}B=2${lineBreak}`
    expect(withSection(below, other)).toBe(of(`# Ours\nA=1\n\n${other}\n\nB=2\n`))
    expect(withSection(below, undefined)).toBe(of('# Ours\nA=1\n\nB=2\n'))
  })

  it('is written where there is none', () => {
    expect(withSection('', section)).toBe(`${section}\n`)
    expect(withSection(`${section}\n`, undefined)).toBe('')
  })

  it('is out of date when a setting is missing, or its section has changed', () => {
    const names = Object.keys(settings.shape)
    const byHand = names.map((name, index) => `${index % 2 ? '# ' : ''}${name}=x`)
    expect(isOutdated(byHand.join('\n'), settings)).toBe(false)
    expect(isOutdated(byHand.slice(1).join('\n'), settings)).toBe(true)
    expect(isOutdated(`${section}\n`, settings)).toBe(false)
    expect(isOutdated(`${other}\n`, settings)).toBe(true)
    expect(isOutdated('A=1\n', undefined)).toBe(false)
  })
})

it('is a table in Markdown', () => {
  const [head, , row] = settingsTable(settings).split('\n')
  expect([head, row]).toEqual([
    '| Name | What | Value | Default | Secret | Required |',
    '| `SHOP_REGION` | Where orders are kept. | eu or us | `eu` |  |  |',
  ])
  expect(settingsTable(settings)).not.toContain('a-password')
})
