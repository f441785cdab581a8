/** "Without Docker" in docs/deployment.md, unchanged except the ports: it starts, serves, counts, stops. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ROOT, readDocuments, sectionOf } from '../docs/markdown.ts'
import { connectClient, structured } from '../support/clients.ts'
import { freePort } from '../support/free-port.ts'
import { nginxMissing } from '../support/nginx.ts'
import { baseEnvironment, SERVER_COMMAND } from '../support/process.ts'
import { redisMissing } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { describeUnless } from '../support/suite-that-needs.ts'

const NODES = [1, 2, 3] as const
const document = readDocuments().find(({ file }) => file === 'docs/deployment.md')
const section = sectionOf(document ?? expect.fail('no docs/deployment.md'), 'Without Docker')
const blocks = document?.blocks.filter(({ code }) => section.includes(code)) ?? []

/** Replaces the document's ports by free ones, and its folder by a temporary one. */
async function adaptation(folder: string) {
  const ports: Record<string, string> = {}
  for (const port of ['6901', '6390', ...NODES.flatMap((node) => [`691${node}`, `946${node}`])]) {
    ports[port] = String(await freePort())
  }
  const other = (text: string) =>
    text.replaceAll(/\b(?:6901|6390|691\d|946\d)\b/g, (port) => ports[port] ?? port)
  const sed = NODES.map((node) => `-e s/691${node}/${ports[`691${node}`]}/`).join(' ')
  const server = [process.execPath, ...SERVER_COMMAND].map((word) => `'${word}'`).join(' ')
  const adapt = (code: string) =>
    other(code)
      .replaceAll('/tmp/mcp-template', folder)
      .replaceAll(/(691|946)\$node/g, '$(printenv PORT_$1$node)')
      .replace(
        'deploy/nginx.conf >',
        `deploy/nginx.conf | sed ${sed} -e s/6901/${ports['6901']}/ >`,
      )
      .replace('node packages/server/bin/mcp-template.js start --project starter', server)
  const env = Object.fromEntries(
    Object.entries(ports).map(([port, free]) => [`PORT_${port}`, free]),
  )
  return { adapt, env, url: `http://localhost:${ports['6901']}` }
}

describeUnless(
  nginxMissing ?? redisMissing('plain'),
  'REQUIRE_NGINX',
  'without Docker',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'without-docker-'))
    // nginx's workers run as another user if root starts it.
    chmodSync(folder, 0o755)
    symlinkSync(join(ROOT, 'deploy'), join(folder, 'deploy'))
    const { adapt, env, url } = await adaptation(folder)
    const [start, look, stop] = blocks.map(({ code }) => adapt(code))

    /** Runs a block to completion, whose processes continue; returns its output. */
    async function run(script = 'false'): Promise<string> {
      const output = openSync(join(folder, 'output'), 'w')
      const shell = spawn('sh', ['-euc', script], {
        cwd: folder,
        env: {
          ...baseEnvironment(),
          PATH: `${process.env.PATH}:/usr/sbin`,
          STOP_DELAY: '0',
          ...env,
        },
        stdio: ['ignore', output, output],
      })
      const [code] = await once(shell, 'exit')
      closeSync(output)
      const printed = readFileSync(join(folder, 'output'), 'utf8')
      expect(code, printed).toBe(0)
      return printed
    }

    afterAll(async () => {
      await run(`${stop?.trim()} || true`)
      rmSync(folder, { recursive: true, force: true })
    })

    test('three nodes are served, an official client signs in, and metrics show it', {
      timeout: 300_000,
    }, async () => {
      expect(blocks).toHaveLength(3)
      expect(await run(start)).toContain('{"status":"ok"}')
      const { client } = await connectClient(url, '2025-11-25')
      const call = (name: string) => client.callTool({ name, arguments: {} })
      const page = await signInAs(newBrowser(), structured<SignInLink>(await call('login')))
      expect(page.text).toContain('Login successful')
      let calls = 1
      let metrics = ''
      // nginx skips a node for two seconds if it tried it before it listened.
      const servingNodes = async () => {
        for (let count = 0; count < 3; count += 1, calls += 1)
          expect(structured(await call('service'))).toBeDefined()
        metrics = await run(look)
        return metrics.match(/tool="service",outcome="ok"/g)?.length
      }
      await expect.poll(servingNodes, { timeout: 60_000, interval: 500 }).toBe(3)
      await client.close()

      const sum = (name: RegExp) =>
        [...metrics.matchAll(name)].reduce((total, [, count]) => total + Number(count), 0)
      expect(sum(/^mcp_sign_ins_total\{outcome="signed_in"\} (\d+)$/gm)).toBe(1)
      expect(sum(/^mcp_tool_call_duration_seconds_count\{.*\} (\d+)$/gm)).toBe(calls)
    })

    test('and all of it is stopped', async () => {
      const files = readdirSync(folder).filter((name) => name.endsWith('.pid'))
      const pids = files.map((file) => Number(readFileSync(join(folder, file), 'utf8')))
      expect(pids).toHaveLength(5)
      await run(stop)
      await expect.poll(() => pids.filter(isAlive)).toEqual([])
    })
  },
)

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
