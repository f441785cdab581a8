/** `mcp-template dev`: serves the current files, and keeps sign-ins across restarts. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { toolTemplate } from '../../src/cli/templates.ts'
import { connectClient, ERAS, structured } from '../support/clients.ts'
import { freePort } from '../support/free-port.ts'
import { COMMAND, copyProject } from '../support/project-copy.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { postModern, read } from '../support/wire.ts'

const BUILT_IN = ['login', 'logout', 'session']
const SOON = { timeout: 60_000, interval: 200 }
const LONG = { timeout: 600_000 }

async function startDev(args: readonly string[] = [], own: Readonly<Record<string, string>> = {}) {
  const { folder, remove } = copyProject()
  const port = String(await freePort())
  const env = { MASK_MCP_PORT: port, LOG_LEVEL: 'silent', PATH: process.env.PATH, ...own }
  const dev = spawn(process.execPath, [...COMMAND, 'dev', ...args], { cwd: folder, env })
  const said = { text: '' }
  dev.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.text += text
  })
  let code: number | null | undefined
  const ended = once(dev, 'exit').then(([exitCode]) => {
    code = exitCode
  })
  onTestFinished(async () => {
    if (code === undefined) dev.kill()
    await ended
    remove()
  })
  const url = `http://localhost:${port}`
  const tools = async (): Promise<readonly string[]> => {
    const answer = await read(postModern(url, 'tools/list')).catch(() => null)
    const listed = (answer?.message.result?.tools ?? []) as { name: string }[]
    return listed.map(({ name }) => name)
  }
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return { dev, folder, url, said, tools, write, ended }
}

test('serves every kind of change', LONG, async () => {
  const { folder, said, tools, write } = await startDev()
  await expect.poll(tools, SOON).toEqual(['login', 'logout', 'service', 'session'])

  write('src/tools/deep/greet.ts', toolTemplate('greet'))
  await expect.poll(tools, SOON).toContain('greet')

  // Saves as editors do: renames another file to this name.
  write('src/other', toolTemplate('salute'))
  renameSync(join(folder, 'src/other'), join(folder, 'src/tools/deep/greet.ts'))
  await expect.poll(tools, SOON).toContain('salute')

  write('src/tools/deep/_name.ts', "export const name = 'shared'\n")
  const shared = `import { name } from './_name.ts'\n${toolTemplate('x').replace("name: 'x'", 'name')}`
  write('src/tools/deep/greet.ts', shared)
  await expect.poll(tools, SOON).toContain('shared')
  write('src/tools/deep/_name.ts', "export const name = 'changed'\n")
  await expect.poll(tools, SOON).toContain('changed')

  write('src/tools/broken.ts', 'export default {')
  await expect.poll(() => said.text, SOON).toMatch(/Cannot load:\n {2}- tools\/broken\.ts: /)
  write('src/tools/broken.ts', toolTemplate('fixed'))
  await expect.poll(tools, SOON).toContain('fixed')

  rmSync(join(folder, 'src/tools/deep'), { recursive: true })
  rmSync(join(folder, 'src/tools/broken.ts'))
  await expect.poll(tools, SOON).toEqual(['login', 'logout', 'service', 'session'])

  write('.env', 'TOOLS_DIR=src/nowhere\n')
  await expect.poll(() => said.text, SOON).toContain('src/nowhere: there is no such folder')
  rmSync(join(folder, '.env'))
  await expect.poll(tools, SOON).toContain('service')

  const server = readFileSync(join(folder, 'src/server.ts'), 'utf8')
  write('src/server.ts', 'throw new Error("no server")')
  await expect.poll(() => said.text, SOON).toContain('Cannot load src/server.ts: no server')
  write('src/server.ts', server)
  rmSync(join(folder, 'src/tools/service.ts'))
  await expect.poll(tools, SOON).toEqual(BUILT_IN)
})

test(
  'keeps MCP sessions and sign-ins of both eras, in a file that only its owner can read',
  LONG,
  async () => {
    const { folder, url, tools, write } = await startDev()
    await expect.poll(tools, SOON).toContain('service')
    const people = []
    for (const era of ERAS) {
      const { client } = await connectClient(url, era)
      const login = await client.callTool({ name: 'login', arguments: {} })
      const { session, ...link } = structured<SignInLink>(login)
      expect((await signInAs(newBrowser(), link)).text).toContain('Login successful')
      people.push({ client, given: session === undefined ? {} : { session } })
    }
    write('src/tools/greet.ts', toolTemplate('greet'))
    await expect.poll(tools, SOON).toContain('greet')
    for (const { client, given } of people) {
      const account = await client.callTool({ name: 'service', arguments: given })
      expect(structured<{ owner: string }>(account).owner).toBe('Ada Lovelace')
      await client.close()
    }
    const state = statSync(join(folder, 'node_modules/.cache/mcp-template/http.json'))
    expect(state.mode & 0o777).toBe(0o600)
  },
)

test(
  'over stdio keeps its client connected, whatever is printed, and reports the changes',
  LONG,
  async () => {
    const { dev, said, write, ended } = await startDev(['stdio'])
    const messages: { id?: number; method?: string; result?: { tools?: { name: string }[] } }[] = []
    createInterface({ input: dev.stdout }).on('line', (line) => messages.push(JSON.parse(line)))
    const send = (message: object) =>
      dev.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
    const answerTo = async (id: number) => {
      await expect.poll(() => messages.some((each) => each.id === id), SOON).toBe(true)
      return messages.find((each) => each.id === id)
    }
    const clientInfo = { name: 'test', version: '1' }
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
    send({ id: 1, method: 'initialize', params })
    await answerTo(1)
    send({ method: 'notifications/initialized' })

    write('src/tools/greet.ts', `console.log('printed at import')\n${toolTemplate('greet')}`)
    await expect.poll(() => said.text, SOON).toContain('src/tools/greet.ts changed; restarting')
    await expect.poll(() => said.text, SOON).toContain('printed at import')
    await expect
      .poll(() => messages.map(({ method }) => method), SOON)
      .toContain('notifications/tools/list_changed')
    send({ id: 2, method: 'tools/list' })
    const names = (await answerTo(2))?.result?.tools?.map(({ name }) => name)
    expect(names).toContain('greet')
    expect(messages.filter(({ id }) => id === 1)).toHaveLength(1)
    dev.stdin.end()
    await ended
  },
)
