/** `npm run doctor` as a process, on healthy servers and on other services. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parseArguments, UsageError } from '../../../doctor/src/arguments.ts'
import { startApp } from '../support/app.ts'
import { diagnosesIn, examineServer, runDoctor, withVerdict } from '../support/doctor.ts'
import { startExternalIssuer } from '../support/external-issuer.ts'
import { startTlsEnd } from '../support/faulty-proxies.ts'
import { freePort } from '../support/free-port.ts'
import { startServerProcess } from '../support/process.ts'

const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

async function startServer(env: Readonly<Record<string, string>> = {}) {
  const port = await freePort()
  const server = await startServerProcess({ env: { MASK_MCP_PORT: String(port), ...env } })
  closing.push(server.stop)
  return { url: `http://localhost:${port}`, port, server }
}

describe('a healthy server', { timeout: 240_000 }, () => {
  test('has no fault, and every part of it is checked', async () => {
    const { url, server } = await startServer()
    const { code, out, err } = await runDoctor([`${url}/mcp`, '--hold', '2'])
    expect(code, out + err).toBe(0)
    expect(out).toContain('warning 0, wrong 0, ')
    expect(out.match(/^ {2}- skipped .*$/gm)).toEqual([
      expect.stringContaining('on this machine, where plain http is safe'),
      ...Array.from({ length: 3 }, () => expect.stringContaining('cannot be read from here')),
    ])
    expect(out).toContain('Metrics are not public.')
    expect(out).toContain('`session` answers')
    expect(out).toContain('Ada signs in at the demo provider')
    expect(out).not.toContain('\u001b[')
    expect(server.output.stdout).not.toMatch(/"level":"(error|fatal)"/)
  })

  test('requires tokens, signs people in during authorization, and is reported as JSON', async () => {
    const { url } = await startServer({ MCP_AUTH: 'required', LOGIN: 'at-authorize' })
    const args = [url, '--hold', '1', '--json', '--client', 'inspector', '--client', 'cursor']
    const { code, out, err } = await runDoctor(args)
    expect(code, out + err).toBe(0)
    const report = JSON.parse(out)
    expect(report).toMatchObject({ url, counts: { warning: 0, wrong: 0 } })
    const said = withVerdict(diagnosesIn(report.checks), 'ok').join('\n')
    expect(said).toContain('challenge: /mcp sends callers without a token to')
    expect(said).toContain('upstream-sign-in: The user who authorizes the client is signed in')
    expect(said.match(/^clients: .*$/gm)).toHaveLength(2)
  })

  test('below a path is checked there', async () => {
    const port = await freePort()
    const url = `http://localhost:${port}/desk`
    await startServer({ MASK_MCP_PORT: String(port), PUBLIC_URL: url })
    const { code, out, err } = await runDoctor([`${url}/mcp`, '--hold', '1'])
    expect(code, out + err).toBe(0)
    expect(out).toContain('warning 0, wrong 0, ')
    expect(out).toContain(`The issuer is ${url}.`)
  })

  test('with an external authorization server is checked as far as possible', async () => {
    const issuer = await startExternalIssuer()
    closing.push(issuer.stop)
    const { url } = await startServer({ OAUTH_ISSUER: issuer.url })
    const token = await issuer.token(`${url}/mcp`)
    const { code, out, err } = await runDoctor([url, '--hold', '1'], { DOCTOR_TOKEN: token })
    expect(out + err).toContain(`Clients are sent to ${issuer.url}; its metadata is at`)
    expect(out).toMatch(
      /- skipped This concerns http:\/\/127\.0\.0\.1:\d+, which authorizes the clients/,
    )
    expect(out).toContain('2025-11-25 at /mcp: 4 tools are listed')
    expect(out).toContain('The doctor got no token of its own, and signs nobody in with another')
    expect(code, out).toBe(0)
  })
})

describe('https', { timeout: 240_000 }, () => {
  test('of a proxy must be in PUBLIC_URL', async () => {
    const port = await freePort()
    const end = await startTlsEnd(() => port)
    closing.push(end.close)
    const app = await startApp({
      env: { MASK_MCP_PORT: String(port), PUBLIC_URL: end.url.replace('https', 'http') },
    })
    closing.push(app.stop)
    const [distrust] = withVerdict(await examineServer(end.url), 'wrong')
    expect(distrust).toMatch(/cannot be reached: its certificate is not trusted\..*chain/)
    const folder = mkdtempSync(join(tmpdir(), 'doctor-'))
    closing.push(async () => rmSync(folder, { recursive: true }))
    const file = join(folder, 'ca.pem')
    writeFileSync(file, end.ca)
    const { code, out } = await runDoctor([end.url, '--hold', '1'], { NODE_EXTRA_CA_CERTS: file })
    expect(code).toBe(1)
    expect(out).toContain(`Set PUBLIC_URL=${end.url} on every node, and restart them.`)
    expect(out).toContain('X-Forwarded-Proto is ignored')
  })
})

describe('without such a server', { timeout: 240_000 }, () => {
  test.each([
    ['no address', [], 'Name a server.'],
    ['no URL', ['localhost:6901'], 'This is not an http or https address: localhost:6901'],
    ['two addresses', ['http://a.example', 'http://b.example'], 'One server at a time.'],
    ['an unknown option', ['http://a.example', '--fast'], '--fast'],
    ['an unknown client', ['http://a.example', '--client', 'emacs'], 'Unknown client: emacs'],
    ['no time', ['http://a.example', '--hold', 'long'], '--hold takes seconds'],
  ])('%s is a usage error', (_what, args, reason) => {
    expect(() => parseArguments(args)).toThrow(UsageError)
    expect(() => parseArguments(args)).toThrow(reason)
  })

  test('the usage is printed, with its own exit code', async () => {
    const { code, out, err } = await runDoctor([])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('Usage: npx @mcp-template/doctor URL')
    expect(err).not.toMatch(/^ +at /m)
  })

  test('nothing listens there', async () => {
    const { code, out, err } = await runDoctor(['http://127.0.0.1:1'])
    expect(code).toBe(1)
    expect(out).toContain('http://127.0.0.1:1/mcp cannot be reached: nothing listens there.')
    expect(out + err).not.toMatch(/^ +at /m)
  })

  test('something else listens there', async () => {
    const other = createServer((_, response) => response.end('<h1>Welcome to nginx!</h1>'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    closing.push(async () => other.close())
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    const [fault] = withVerdict(await examineServer(url), 'wrong')
    expect(fault).toContain(`There is no MCP server at ${url}/mcp: it answers 200`)
  })

  test('Claude cannot reach this machine', async () => {
    const app = await startApp()
    closing.push(app.stop)
    const faults = withVerdict(await examineServer(app.url, '--client', 'claude'), 'wrong')
    expect(faults).toEqual([
      expect.stringMatching(/clients: Claude .* calls from the internet.*tunnel/),
    ])
  })
})
