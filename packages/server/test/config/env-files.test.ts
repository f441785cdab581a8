/** `.env` files as editors and shells write them: no variable is lost silently. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config.ts'

function loadFile(content: string | Buffer) {
  const cwd = mkdtempSync(join(tmpdir(), 'env-file-'))
  try {
    writeFileSync(join(cwd, '.env'), content)
    return loadConfig({ env: {}, cwd })
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

function faultsIn(content: string | Buffer) {
  try {
    loadFile(content)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  throw new Error('loaded')
}

const UPSTREAM = `UPSTREAM_ISSUER=https://id.example.com
UPSTREAM_CLIENT_ID=mcp
UPSTREAM_API_URL=https://api.example.com
`
const TEXT = 'MCP_AUTH=required\nAPP_NAME="Bänk"\nSESSION_TTL=61\n'
const swapped = (bytes: Buffer) => Buffer.from(bytes).swap16()
const utf16 = (text: string) => Buffer.from(text, 'utf16le')

describe('a file is read completely', () => {
  it.each<[string, string | Buffer]>([
    ['UTF-8', TEXT],
    ['UTF-8 with a byte order mark', `\ufeff${TEXT}`],
    ['UTF-16, little end first, as PowerShell writes it', utf16(`\ufeff${TEXT}`)],
    ['UTF-16, big end first', swapped(utf16(`\ufeff${TEXT}`))],
    ['lines of Windows', TEXT.replaceAll('\n', '\r\n')],
    ['lines of Windows in UTF-16', utf16(`\ufeff${TEXT.replaceAll('\n', '\r\n')}`)],
    ['lines of an old Mac', TEXT.replaceAll('\n', '\r')],
    ['no line break at the end', TEXT.trimEnd()],
    ['export before each', TEXT.replaceAll(/^(?=\w)/gm, 'export ')],
    ['indented, with spaces around', TEXT.replaceAll(/^(?=\w)/gm, '  ').replaceAll('=', ' = ')],
    ['indented exports', TEXT.replaceAll(/^(?=\w)/gm, '\texport   ')],
    ['single quotes', TEXT.replaceAll('"', "'")],
    ['comments and empty lines', `\n# a=b\n   # c\n${TEXT}\n\n`],
  ])('%s', (_form, content) => {
    const { config, warnings } = loadFile(content)
    const { auth, app, session } = config
    expect(auth.required).toBe(true)
    expect(app.name).toBe('Bänk')
    expect(session.ttlSeconds).toBe(61)
    expect(warnings).toEqual([])
  })

  it('with a value of several lines', () => {
    const json = '[\n  {"client_id":"a","redirect_uris":["http://127.0.0.1/"]}\n]'
    const { config } = loadFile(`OAUTH_CLIENTS='${json}'\nAPP_NAME=x # comment\n`)
    expect(config.app.name).toBe('x')
  })

  it('with a value that has the other quotes, equals signs and a hash in it', () => {
    expect(loadFile(`APP_NAME="it's = a #1"\nSESSION_TTL=61`).config).toMatchObject({
      app: { name: "it's = a #1" },
      session: { ttlSeconds: 61 },
    })
  })
})

describe('a hash', () => {
  it.each([
    ['abc#def', 'abc#def'],
    ['abc#', 'abc#'],
    ['a#b #c#d', 'a#b'],
    ['abc #def', 'abc'],
    ['abc\t# def', 'abc'],
    ['abc   # it is "quoted"', 'abc'],
    [' abc#def ', 'abc#def'],
    ['#abc', '#abc'],
    ['#abc # def', '#abc'],
    ['a="b#c', 'a="b#c'],
    ['"abc#def', '"abc#def'],
    ['"abc#def"', 'abc#def'],
    ['"abc #def" # ghi', 'abc #def'],
    ["'abc #def'", 'abc #def'],
    ['`abc #def`#', 'abc #def'],
  ])('UPSTREAM_CLIENT_SECRET=%s', (given, value) => {
    const { secrets } = loadFile(`${UPSTREAM}UPSTREAM_CLIENT_SECRET=${given}\nSESSION_TTL=61`)
    expect(secrets.upstreamClientSecret).toBe(value)
  })

  it.each(['', ' ', '#', '# fill in', ' # fill in', ' #fill in'])(
    'starts a comment that is the whole value of "%s"',
    (given) => {
      const { secrets } = loadFile(`${UPSTREAM}UPSTREAM_CLIENT_SECRET=${given}\nSESSION_TTL=61`)
      expect(secrets.upstreamClientSecret).toBeUndefined()
    },
  )
})

describe('refuses', () => {
  it.each([
    ['#fill in later', 'must be quoted'],
    ['"abc"def', 'text after its closing quote'],
    ['"abc\\"def"', 'text after its closing quote'],
    [`'abc' "def"`, 'text after its closing quote'],
    ['"abc\ndef" ghi', 'text after its closing quote'],
  ])('a value of which a part would be lost: %s', (given, why) => {
    expect(faultsIn(`${UPSTREAM}UPSTREAM_CLIENT_SECRET=${given}\n`)).toEqual([
      { name: '.env, line 4', message: expect.stringContaining(why) },
    ])
    expect(JSON.stringify(faultsIn(`${UPSTREAM}UPSTREAM_CLIENT_SECRET=${given}\n`))).toContain(
      'UPSTREAM_CLIENT_SECRET',
    )
  })

  it.each<[string, Buffer]>([
    ['UTF-16 without a mark', utf16(TEXT)],
    ['UTF-16 without a mark, big end first', swapped(utf16(TEXT))],
    ['UTF-32', Buffer.concat([Buffer.from([0xff, 0xfe, 0, 0]), utf16('A\0=\0b\0')])],
    ['truncated UTF-16', utf16(`\ufeff${TEXT}`).subarray(0, -1)],
    ['Latin-1', Buffer.from(TEXT, 'latin1')],
    ['NUL bytes', Buffer.from(TEXT.replace('SESSION', 'SES\0SION'))],
  ])('%s', (_form, content) => {
    const faults = faultsIn(content)
    expect(faults).toEqual([{ name: '.env', message: expect.stringContaining('save it as UTF-8') }])
  })

  it.each([
    'MCP_AUTH: required',
    'MCP_AUTH required',
    'MCP_AUTH',
    'set MCP_AUTH=required',
    '$env:MCP_AUTH = "required"',
    '[server]',
    '=required',
  ])('a line that is not an assignment: %s', (line) => {
    const faults = faultsIn(`APP_NAME=x\n${line}\nSESSION_TTL=61\n`)
    expect(faults).toEqual([
      { name: '.env, line 2', message: expect.stringContaining('must be NAME=value') },
    ])
  })

  it('a quote that includes the next variable', () => {
    expect(faultsIn(`APP_NAME="x\nMCP_AUTH="required"\n`)).toEqual([
      { name: '.env, line 1', message: expect.stringContaining('not closed') },
    ])
  })
})
