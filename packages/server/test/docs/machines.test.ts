/** docs/machines.md: its configuration starts, and its scripts and programs get the documented responses. */

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type AssertionIssuer, startAssertionIssuer } from '../support/assertion-issuer.ts'
import { curlExamplesOf, runCurl, shownAnswer } from './examples.ts'
import { ROOT, readDocuments } from './markdown.ts'

const document =
  readDocuments().find(({ file }) => file === 'docs/machines.md') ?? expect.fail('not there')
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })

let app: TestApp
let issuer: AssertionIssuer
let folder: string
let jwk: object

/** The variables that the page sets; its clients are one list. */
function environment(): Record<string, string> {
  const pairs = document.blocks
    .filter(({ language }) => language === 'dotenv')
    .flatMap(({ code }) => code.trim().split('\n'))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
  const lists = pairs.filter(([name]) => name === 'OAUTH_CLIENTS').map(([, list]) => list)
  const clients = lists.flatMap((list) => JSON.parse(list, (_name, value) => keyIn(value)))
  const others = pairs.map(([name, value]) => [name, value.replace(PROVIDER, issuer.url)])
  return { ...Object.fromEntries(others), OAUTH_CLIENTS: JSON.stringify(clients) }
}

const PROVIDER = 'https://idp.example.com'
const keyIn = (value: { readonly kty?: string } | undefined) => (value?.kty ? jwk : value)

beforeAll(async () => {
  jwk = await exportJWK(publicKey)
  issuer = await startAssertionIssuer()
  app = await startApp({ env: { ...environment(), MCP_AUTH: 'required', RATE_LIMIT: 'off' } })
  mkdirSync(join(ROOT, 'artifacts'), { recursive: true })
  folder = mkdtempSync(join(ROOT, 'artifacts/machines-'))
})
afterAll(async () => {
  await app.stop()
  await issuer.stop()
  rmSync(folder, { recursive: true })
})

it.each(curlExamplesOf(document))(
  'the script gets the documented response: $place',
  async (example) => {
    const printed = await runCurl(example, app.url)
    expect(JSON.parse(printed)).toMatchObject(shownAnswer(example.answer, app.url) as object)
  },
)

const programs = document.blocks.filter(({ language }) => language === 'ts')

it.each(programs)('the program calls a tool: $place', async ({ code, place }) => {
  const file = join(folder, `${place.replace(/\W/g, '-')}.mts`)
  writeFileSync(
    file,
    code.replaceAll('http://localhost:6901', app.url).replaceAll(PROVIDER, issuer.url),
  )
  const secrets = { BUILDS_KEY: await exportPKCS8(privateKey), ID_TOKEN: 'ada' }
  const env = { ...process.env, ...secrets, NODE_OPTIONS: '' }
  const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd: ROOT, env })
  const [printed, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
  expect(printed, complaints).toContain("state: 'anonymous'")
})

it('shows a program for each kind of client authentication', () => {
  expect(programs).toHaveLength(3)
})
