/** The pages below docs/: their commands run, their diagrams are valid, and the index has each of them. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { curlExamplesOf, runCurl, shownAnswer } from './examples.ts'
import { linksOf, ROOT, readDocuments, sectionOf } from './markdown.ts'

const documents = readDocuments()
/** Pages with tests of their own, which need a token or start processes. */
const ELSEWHERE = ['account', 'clients', 'direct-calls', 'deployment', 'machines'].map(
  (name) => `docs/${name}.md`,
)

describe('commands with curl', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp()
  })
  afterAll(() => app.stop())

  const examples = documents
    .filter(({ file }) => !ELSEWHERE.includes(file))
    .flatMap((document) => curlExamplesOf(document))

  it.each(examples)('print the documented response: $place', async (example) => {
    const printed = await runCurl(example, app.url)
    if (example.answer === '') expect(printed).not.toBe('')
    else expect(JSON.parse(printed)).toMatchObject(shownAnswer(example.answer, app.url) as object)
  })

  it('are several', () => {
    expect(examples.length).toBeGreaterThan(2)
  })
})

/** The permitted lines of a sequence diagram (mermaid.js.org, "Sequence diagrams"). */
const SEQUENCE = {
  who: /^(?:participant|actor) (\w+) as [^;#]+$/,
  message: /^(\w+)-?->>(\w+): [^;#]+$/,
  note: /^Note over (\w+)(?:,(\w+))?: [^;#]+$/,
  setting: /^autonumber$/,
} as const

describe('sequence diagrams', () => {
  const diagrams = documents
    .flatMap(({ blocks }) => blocks)
    .filter(({ language, code }) => language === 'mermaid' && code.startsWith('sequenceDiagram\n'))

  it.each(diagrams)('have valid lines, of declared participants: $place', ({ code }) => {
    const lines = code.trim().split('\n').slice(1)
    const present = new Set<string>()
    for (const line of lines.map((each) => each.trim())) {
      const [, name] = SEQUENCE.who.exec(line) ?? []
      if (name !== undefined) present.add(name)
      const kind = Object.values(SEQUENCE).find((form) => form.test(line))
      expect(kind, line).toBeDefined()
      const named = [SEQUENCE.message, SEQUENCE.note].flatMap((form) => form.exec(line)?.slice(1))
      for (const each of named) if (each !== undefined) expect([...present], line).toContain(each)
    }
  })

  it('are several', () => {
    expect(diagrams.length).toBeGreaterThan(3)
  })
})

/** Variables that Node, Compose and our commands read, not the server. */
const OF_OTHERS = [
  'COMPOSE_FILE',
  'REDIS_PASSWORD',
  'DOCTOR_TOKEN',
  'NODE_EXTRA_CA_CERTS',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'WEBSITES_CONTAINER_STOP_TIME_LIMIT',
  'WEBSITES_PORT',
  'NODE_OPTIONS',
]

describe('variables', () => {
  const configuration = documents.find(({ file }) => file === 'docs/configuration.md')
  const known = new Set(
    [...(configuration?.prose ?? '').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name),
  )
  const pages = documents.filter(({ file }) => /^(?:README|docs\/[\w-]+)\.md$/.test(file))

  it.each(pages)('of $file exist', ({ prose }) => {
    const spans = [...prose.matchAll(/`([A-Z][A-Z\d]*(?:_[A-Z\d]+)+)(?:=[^`]*)?`/g)]
    const names = spans.map(([, name]) => name)
    expect(names.filter((name) => !known.has(name) && !OF_OTHERS.includes(name ?? ''))).toEqual([])
  })
})

describe('log lines in docs/operations.md', () => {
  const operations = documents.find(({ file }) => file === 'docs/operations.md')
  const rows = sectionOf(operations ?? expect.fail('not there'), 'Logs').matchAll(
    /^\| `(.+?)` \|/gm,
  )
  const messages = [...rows].map(([, message]) => message).filter((message) => message !== 'msg')
  const source = readdirSync(join(ROOT, 'packages/server/src'), {
    recursive: true,
    encoding: 'utf8',
  })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(ROOT, 'packages/server/src', name), 'utf8'))
    .join('')

  it.each(messages)('are written: %s', (message) => {
    expect(source).toContain(`'${message}'`)
  })

  it('are several', () => {
    expect(messages.length).toBeGreaterThan(3)
  })
})

describe('the index', () => {
  const index = documents.find(({ file }) => file === 'docs/README.md') ?? expect.fail('not there')
  const pages = documents
    .map(({ file }) => /^docs\/([\w-]+\.md)$/.exec(file)?.[1])
    .filter((name) => name !== undefined && name !== 'README.md')

  it.each(pages)('has %s', (name) => {
    expect(linksOf(index)).toContain(name)
  })
})
