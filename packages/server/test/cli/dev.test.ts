/** `npm run dev`: serves the sources as they are, also those that were not there when it began. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { toolTemplate } from '../../src/cli/templates.ts'
import { freePort } from '../support/free-port.ts'
import { copyProject, MODULES } from '../support/project-copy.ts'
import { postModern, read } from '../support/wire.ts'

async function startDev() {
  const { folder, remove } = copyProject()
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const port = String(await freePort())
  const env = { MASK_MCP_PORT: port, STOP_DELAY: '0', LOG_LEVEL: 'silent' }
  const dev = spawn('sh', ['-c', `exec ${scripts.dev}`], {
    cwd: folder,
    env: { ...env, PATH: `${join(MODULES, '.bin')}:${process.env.PATH}` },
    stdio: 'ignore',
  })
  onTestFinished(async () => {
    const ended = once(dev, 'exit')
    dev.kill()
    await ended
    remove()
  })
  const tools = async (): Promise<readonly string[]> => {
    const answer = await read(postModern(`http://localhost:${port}`, 'tools/list')).catch(
      () => null,
    )
    const listed = (answer?.message.result?.tools ?? []) as { name: string }[]
    return listed.map(({ name }) => name)
  }
  return { folder, tools }
}

const SOON = { timeout: 30_000, interval: 200 }

test('serves a tool that was added, and not one that was taken away', {
  timeout: 120_000,
}, async () => {
  const { folder, tools } = await startDev()
  await expect.poll(tools, SOON).toContain('service')
  const file = join(folder, 'src/tools/greet.ts')
  writeFileSync(file, toolTemplate('greet'))
  await expect.poll(tools, SOON).toContain('greet')
  rmSync(file)
  await expect.poll(tools, SOON).toEqual(['login', 'logout', 'service', 'session'])
})
