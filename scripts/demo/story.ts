/** The steps of the demo in order: both eras over HTTP, with and without a token, then stdio. */

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { embeddedDefaults, serverCommand } from './command.ts'
import { authorizeClient } from './oauth.ts'
import { check, type Report } from './report.ts'
import { startServer } from './server.ts'
import { createUser } from './user.ts'

type Transport = Parameters<Client['connect']>[0]

/** Registers a cleanup of what a step started. */
type Cleanup = (end: () => Promise<void>) => void

interface Stage {
  readonly report: Report
  /** An empty folder, so that no `.env` file is read. */
  readonly folder: string
  readonly cleanup: Cleanup
}

/** Plays all steps; throws DemoFailure at the first failure. */
export async function playStory(stage: Stage): Promise<void> {
  const { report, cleanup, folder } = stage
  report.step('Start the server: no Redis, no identity provider, nothing configured')
  const server = await startServer(folder, embeddedDefaults())
  cleanup(server.stop)
  report.asked(server.shown)
  report.answered(`ready at ${server.url}`)

  const leaveFirst = await playLegacy(stage, `${server.url}/mcp`)
  await playModern(stage, `${server.url}/mcp`)
  await playAuthorization(stage, `${server.url}/http`)
  await playStdio(stage)
  await leaveFirst()
}

/** Returns the last step, for which the client stays connected. */
async function playLegacy(stage: Stage, url: string): Promise<() => Promise<void>> {
  const { report } = stage
  report.step('Connect a client of the 2025 era')
  report.asked(url)
  const client = await connect(stage, 'legacy', new StreamableHTTPClientTransport(new URL(url)))
  const ada = createUser(client, report)
  await ada.connected()
  report.step('Ask for the account, without having signed in')
  await ada.refused()
  report.step('Sign in')
  await ada.signsIn()
  report.step('Ask for the account again')
  await ada.readsAccount()
  return async () => {
    report.step('Sign the first client out')
    await ada.signsOut()
    report.step('Its session is gone')
    await ada.refused()
    await isAnonymous(client, report)
  }
}

async function playModern(stage: Stage, url: string): Promise<void> {
  const { report } = stage
  report.step('Connect a client of the 2026 era: no connection, a session handle instead')
  report.asked(url)
  const client = await connect(stage, 'modern', new StreamableHTTPClientTransport(new URL(url)))
  const ada = createUser(client, report)
  await ada.connected()
  await ada.refused()
  report.step('Sign in')
  check((await ada.signsIn()) !== undefined, 'login gave no session handle')
  report.step('Ask for the account, with the handle')
  await ada.readsAccount()
}

/** `/mcp` behaves the same with MCP_AUTH=required. */
async function playAuthorization(stage: Stage, address: string): Promise<void> {
  const { report } = stage
  const url = new URL(address)
  report.step('Go to /http, which requires an access token')
  const authorized = await authorizeClient(url, report)

  report.step('Connect with the token, and sign in')
  const options = { authProvider: authorized.provider }
  const client = await connect(stage, 'modern', new StreamableHTTPClientTransport(url, options))
  const ada = createUser(client, report)
  await ada.connected()
  check((await ada.signsIn()) === undefined, 'a client with a token needs no session handle')
  await ada.readsAccount()
  report.step('Refresh the token: it is still Ada')
  await authorized.refreshes()
  await ada.readsAccount()
  report.step('Revoke the tokens')
  await authorized.revokes()
}

async function playStdio(stage: Stage): Promise<void> {
  const { report, folder } = stage
  const { program, args, shown } = serverCommand('stdio')
  report.step('The same over stdio: the client starts the server itself')
  report.asked(shown)
  const transport = new StdioClientTransport({
    command: program,
    args: [...args],
    cwd: folder,
    env: embeddedDefaults(),
    stderr: 'ignore',
  })
  const ada = createUser(await connect(stage, 'legacy', transport), report)
  await ada.connected()
  await ada.refused()
  report.step('Sign in, at pages that the process opens on this machine')
  await ada.signsIn()
  await ada.readsAccount()
}

async function connect(
  { cleanup }: Stage,
  era: 'legacy' | 'modern',
  transport: Transport,
): Promise<Client> {
  const mode = era === 'legacy' ? 'legacy' : ({ pin: '2026-07-28' } as const)
  const about = { name: 'The demo', version: '1.0.0' }
  const client = new Client(about, { versionNegotiation: { mode } })
  cleanup(() => client.close())
  await client.connect(transport)
  return client
}

async function isAnonymous(client: Client, report: Report): Promise<void> {
  report.asked('session')
  const { structuredContent } = await client.callTool({ name: 'session', arguments: {} })
  const { state } = structuredContent as { state?: string }
  report.answered(`state: ${state}`)
  check(state === 'anonymous', 'the session still knows somebody')
}
