/** The documents: code compiles and runs, links and paths exist. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KEY, load, production } from '../config/load.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, connectClientV1, ERAS, structured } from '../support/clients.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { callsCurl } from './examples.ts'
import { anchorsOf, fileOf, linksOf, pathsOf, ROOT, readDocuments, sectionOf } from './markdown.ts'
import { createWorkspace } from './workspace.ts'

const documents = readDocuments()
const blocks = documents.flatMap((document) => document.blocks)
const inLanguage = (...languages: string[]) =>
  blocks.filter(({ language }) => languages.includes(language))
const readme = documents.find(({ file }) => file === 'README.md') ?? expect.fail('no README')
const notYet = sectionOf(readme, 'Not yet')
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

const workspace = createWorkspace()
afterAll(() => workspace.remove())

describe('TypeScript in the documents', () => {
  // Excerpts of tests are compared with these tests by the test of their document.
  const examples = inLanguage('ts').filter((block) => !fileOf(block)?.endsWith('.test.ts'))

  it('compiles', () => {
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) workspace.place(example)
    expect(workspace.compile()).toBe('')
  }, 180_000)

  it('fits one screen where it adds a tool', () => {
    const [example] = examples
    expect(example?.place).toMatch(/^README/)
    expect(example?.code.split('\n').length).toBeLessThan(20)
  })
})

describe('the tool that the README adds', () => {
  let app: TestApp
  beforeAll(async () => {
    const example = inLanguage('ts')[0] ?? expect.fail('no example')
    app = await startApp({ catalogDirectory: workspace.place(example) })
  })
  afterAll(() => app.stop())

  const clients = {
    ...Object.fromEntries(
      ERAS.map((era) => [
        `client v2, ${era}`,
        async () => (await connectClient(app.url, era)).client,
      ]),
    ),
    'client v1': () => connectClientV1(app.url),
  }

  it.each(Object.entries(clients))('answers masked once signed in: %s', async (_name, connect) => {
    const client = await connect()
    const call = async (name: string, given: Record<string, string> = {}) =>
      // The types of v1 do not hold under exactOptionalPropertyTypes.
      (await client.callTool({ name, arguments: given })) as { structuredContent?: unknown }
    expect(await call('balance')).toMatchObject({ isError: true })

    const { session, ...link } = structured<SignInLink>(await call('login'))
    expect((await signInAs(newBrowser(), link)).text).toContain('Login successful')
    const answer = await call('balance', session === undefined ? {} : { session })
    const balance = { accountNumber: '****5555', balance: 1842.5, currency: 'GBP' }
    expect(structured(answer)).toEqual(balance)
    await client.close()
  })
})

describe('commands in the documents', () => {
  const commands = inLanguage('sh').flatMap((block) =>
    callsCurl(block)
      ? []
      : commandsOf(block.code).map((command) => [block.place, command] as const),
  )

  it.each(commands)('%s: %s', (_place, command) => {
    expect(missing(command)).toBeUndefined()
  })

  it('are those of "Start" in the README', () => {
    const start = sectionOf(readme, 'Start')
    for (const command of ['npm ci && npm run demo', 'npm ci && npm test', 'npm start']) {
      expect(start).toMatch(new RegExp(`^${command}( |$)`, 'm'))
    }
    expect(readme.text).toContain('npm run new:tool -- [FOLDER/]NAME')
  })

  it.each(Object.keys(scripts))(
    'are listed under "Not yet" until they exist: npm run %s',
    (name) => {
      const file = /^(?:tsx|node) (scripts\/\S+)/.exec(scripts[name] ?? '')?.[1]
      const isThere = file === undefined || existsSync(join(ROOT, file))
      const hint = isThere
        ? 'is there: take it out of "Not yet" and "soon"'
        : 'belongs in "Not yet"'
      expect(notYet.includes(`\`npm run ${name}\``), `${name} ${hint}`).toBe(!isThere)
    },
  )
})

describe('configuration in the documents', () => {
  it.each(inLanguage('json', 'jsonc'))('parses: $place', ({ code }) => {
    const text = code.replaceAll(/^\s*\/\/.*$/gm, '')
    expect(() => JSON.parse(text)).not.toThrow()
    const named = /"[^"]*\/mcp-template\/([^"]+)"/g
    for (const [, path = ''] of code.matchAll(named))
      expect(existsSync(join(ROOT, path))).toBe(true)
  })

  it.each(inLanguage('dotenv', 'ini'))('loads, with keys: $place', ({ code }) => {
    const { JWT_SECRET } = production
    expect(() =>
      load({ ENCRYPTION_KEY: KEY, JWT_SECRET }, { files: { '.env': code } }),
    ).not.toThrow()
  })
})

describe.each(documents)('$file', (document) => {
  it('has code in languages that are checked or drawn only', () => {
    const known = ['ts', 'sh', 'json', 'jsonc', 'dotenv', 'ini', 'text', 'mermaid']
    const unknown = document.blocks.filter(({ language }) => !known.includes(language))
    expect(unknown.map(({ place, language }) => `${place} ${language}`)).toEqual([])
  })

  it('links to files and headings that exist', () => {
    const broken = linksOf(document).filter((link) => !hasTarget(document.file, link))
    expect(broken).toEqual([])
  })

  it('names paths that exist', () => {
    const isThere = (path: string) =>
      existsSync(join(ROOT, path)) || existsSync(join(ROOT, 'starter', path))
    expect(pathsOf(document).filter((path) => !isThere(path))).toEqual([])
  })
})

/** The packages of this repository, by name. */
const PUBLISHED: ReadonlySet<string> = new Set(
  readdirSync(join(ROOT, 'packages')).map(
    (folder) =>
      JSON.parse(readFileSync(join(ROOT, 'packages', folder, 'package.json'), 'utf8')).name,
  ),
)

/** Programs that the documents run, besides npm and node. */
const PROGRAMS = new Set(['cd', 'git', 'claude', 'cp', 'docker', 'kill', 'kubectl', 'redis-cli'])

/** Single commands: without comments, with continued lines joined and chains split. */
function commandsOf(code: string): string[] {
  const lines = code
    .replaceAll('\\\n', ' ')
    .replaceAll(/^[A-Z_]+=\$\((.*)\)$/gm, '$1')
    .split('\n')
  return lines
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split('&&'))
    .map((command) => command.trim().replace(/^(?:[A-Z_]+=\S* )+/, ''))
    .filter((command) => command !== '')
}

/** The file or script that a command needs and that does not exist. */
function missing(command: string): string | undefined {
  const words = command.split(/\s+/).filter((word) => word !== '-s')
  const [program = '', verb = '', name = ''] = words
  if (program === 'npm' && ['ci', 'install'].includes(verb)) return undefined
  if (program === 'npm') {
    const script = verb === 'run' ? name : verb
    return Object.hasOwn(scripts, script) ? undefined : `the script ${script}`
  }
  if (program === 'node') return existsSync(join(ROOT, verb)) ? undefined : verb
  // A client in the version of its test.
  if (program === 'npx' && verb === '-y') return isTested(name) ? undefined : name
  if (program === 'npx' && PUBLISHED.has(verb)) return undefined
  if (program === 'npx') return existsSync(join(ROOT, 'node_modules/.bin', verb)) ? undefined : verb
  if (program.includes('/')) return existsSync(join(ROOT, program)) ? undefined : program
  return PROGRAMS.has(program) ? undefined : program
}

function isTested(packageAtVersion: string): boolean {
  const scripts = readdirSync(join(ROOT, '.ci')).filter((name) => name.endsWith('.sh'))
  return scripts.some((name) =>
    readFileSync(join(ROOT, '.ci', name), 'utf8').includes(packageAtVersion.replace(/(?!^)@/, ' ')),
  )
}

function hasTarget(from: string, link: string): boolean {
  if (/^https?:\/\//.test(link)) return true
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? from : normalize(join(dirname(from), path))
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return false
  if (anchor === undefined) return true
  if (statSync(join(ROOT, target)).isDirectory()) return false
  const prose = readFileSync(join(ROOT, target), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '')
  return anchorsOf({ prose }).includes(anchor)
}
