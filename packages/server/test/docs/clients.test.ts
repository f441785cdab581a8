/** The curl commands and programs of docs/clients.md run to completion. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { structured } from '../support/clients.ts'
import { authorizeDirectCaller } from '../support/direct.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { curlExamplesOf, runCurl } from './examples.ts'
import { readDocuments } from './markdown.ts'
import { createWorkspace } from './workspace.ts'

const document =
  readDocuments().find(({ file }) => file === 'docs/clients.md') ?? expect.fail('not there')

/** Collects what a process prints. */
function printed({ stdout, stderr }: ReturnType<typeof spawn>): { readonly text: string } {
  const shown = { text: '' }
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      shown.text += text
    })
  }
  return shown
}

async function signIn(link: SignInLink): Promise<void> {
  expect((await signInAs(newBrowser(), link)).text).toContain('Login successful')
}

describe('curl as a client', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp()
  })
  afterAll(() => app.stop())

  const examples = curlExamplesOf(document)
  const having = (text: string) =>
    examples.find(({ code }) => code.includes(text)) ?? expect.fail(`no ${text}`)
  const resultOf = (answer: string) => JSON.parse(answer).result as Record<string, unknown>

  it('signs in and reads, 2026-07-28', async () => {
    const login = having('Mcp-Name: login')
    const link = structured<SignInLink>(resultOf(await runCurl(login, app.url)))
    await signIn(link)
    const variables = { SESSION: link.session ?? '' }
    const account = resultOf(await runCurl(having('Mcp-Name: service'), app.url, variables))
    expect(structured(account)).toMatchObject({ accountNumber: '****5555' })
  })

  it('signs in, reads and ends its MCP session, 2025-11-25, in one shell', async () => {
    const blocks = ['"protocolVersion":"2025-11-25"', '"id":3', '-X DELETE'].map(having)
    const [login, ...others] = blocks.map(({ code }) =>
      code.replaceAll('http://localhost:6901', app.url),
    )
    const shell = spawn('sh', ['-euc', [login, 'echo; read -r signed_in', ...others].join('\n')])
    const shown = printed(shell)
    const ended = once(shell, 'close')
    await expect.poll(() => shown.text).toMatch(/\n$/)
    await signIn(structured<SignInLink>(resultOf(shown.text)))
    shell.stdin.write('yes\n')
    expect(await ended).toEqual([0, null])
    const account = resultOf(shown.text.split('\n')[1] ?? '')
    expect(structured(account)).toMatchObject({ accountNumber: '****5555' })
  })

  it('gets the link without the protocol', async () => {
    const { token } = await authorizeDirectCaller(app.url)
    const answer = await runCurl(having('$TOKEN'), app.url, { TOKEN: token })
    expect(structured<SignInLink>(JSON.parse(answer)).code).toMatch(/^\w{4}-\w{4}$/)
  })

  it('is run to the last block', () => {
    expect(examples).toHaveLength(6)
  })
})

describe('documented programs', () => {
  const workspace = createWorkspace()
  const apps: TestApp[] = []
  afterAll(async () => {
    for (const app of apps) await app.stop()
    workspace.remove()
  })
  const programs = document.blocks.filter(({ language }) => language === 'ts')

  /** Runs a program against a server with these variables. */
  async function start(index: number, env: Record<string, string>) {
    const app = await startApp({ env })
    apps.push(app)
    const path = join(workspace.directory, `program-${index}.ts`)
    writeFileSync(path, programs[index]?.code.replace('http://localhost:6901', app.url) ?? '')
    const program = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), path])
    return { shown: printed(program), ended: once(program, 'close') }
  }

  it('connect, list the tools and call one', async () => {
    const { shown, ended } = await start(0, {})
    expect(await ended, shown.text).toEqual([0, null])
    expect(shown.text).toMatch(/^login logout service session\n\{\s+state: 'anonymous'/)
  })

  it('are authorized by a user where a token is required', async () => {
    const { shown, ended } = await start(1, { MCP_AUTH: 'required' })
    const address = () => /^Open (\S+)$/m.exec(shown.text)?.[1] ?? ''
    await expect.poll(address).not.toBe('')
    const browser = newBrowser()
    const page = await browser.open(address())
    expect(page.text).toContain('My program')
    expect((await browser.open(page.url, { decision: 'allow' })).text).toContain('close this page')
    expect(await ended, shown.text).toEqual([0, null])
    expect(shown.text).toMatch(/^\{\s+state: 'anonymous'/m)
  })
})
