/** An official client in another language: a program that makes the requested calls. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { expect, vi } from 'vitest'
import {
  type Browser,
  createBrowser,
  headingOf,
  type Page,
} from '../../src/testing/form-browser.ts'

/** The outcome of a call, and the client's data after it. */
export interface Called {
  readonly result?: Readonly<Record<string, unknown>>
  /** The client's `Mcp-Session-Id`, if it has one and reports it. */
  readonly connection?: string | null
  readonly scope: string
  readonly refresh_token: string
  readonly client_id: string
}

export interface OfficialClient {
  /** The browser of the person who uses the client. */
  readonly browser: Browser
  /** How often the person has authorized the client. */
  consents(): number
  call(tool: string, args?: Readonly<Record<string, unknown>>): Promise<Called>
  /** Ends it as its user would: it closes its connections. */
  close(): Promise<void>
}

/** Where clients expect the code. */
const REDIRECT = /^http:\/\/(localhost|127\.0\.0\.1):\d+\/callback\?/

/** Waits for a client that opens the browser first and its callback server after it. */
async function callbackServer(authorizationUrl: string): Promise<void> {
  const redirectUri = new URL(authorizationUrl).searchParams.get('redirect_uri')
  const { hostname: host, port } = new URL(redirectUri ?? expect.fail('no redirect_uri'))
  await vi.waitFor(
    async () => {
      const socket = connect({ host, port: Number(port) })
      await once(socket, 'connect').finally(() => socket.destroy())
    },
    { timeout: 60_000, interval: 50 },
  )
}

/**
 * Starts a program, which connects at once; the person authorizes it as often as it asks. One that
 * `listens` receives the code with a callback server of its own.
 */
export async function startOfficialClient(
  [command, ...args]: readonly [string, ...string[]],
  { listens = false }: { readonly listens?: boolean } = {},
): Promise<OfficialClient> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const say = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`)
  const browser = createBrowser(listens ? undefined : 'http://127.0.0.1:')
  let consents = 0

  async function authorize(url: string): Promise<void> {
    consents += 1
    if (listens) await callbackServer(url)
    let page: Page = await browser.open(url)
    page = await browser.open(page.url, { decision: 'allow' })
    if (page.text.includes('Who are you?')) page = await browser.open(page.url, { person: 'ada' })
    expect(page.url.href, headingOf(page)).toMatch(REDIRECT)
    if (!listens) say({ redirect: page.url.href })
  }

  /** The next line that is a response. */
  async function answer<Answer>(): Promise<Answer> {
    const { value } = await lines.next()
    const message = JSON.parse(value ?? expect.fail(`The client ended: ${complaints.slice(-4000)}`))
    if (message.error !== undefined) expect.fail(message.error)
    if (message.open === undefined) return message
    await authorize(message.open)
    return answer()
  }

  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await answer()
  return {
    browser,
    consents: () => consents,
    call(tool, given = {}) {
      say({ call: tool, arguments: given })
      return answer<Called>()
    },
    close() {
      child.stdin.end()
      return exited
    },
  }
}
