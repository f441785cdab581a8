/** Runs the suite's scenarios for authorization servers, and plays the user who grants consent. */

import { createBrowser } from '../../packages/server/src/testing/form-browser.ts'
import { freePort } from '../../packages/server/test/support/free-port.ts'
import { type Outcome, readOutcomes } from './outcome.ts'
import { emptyFolder, runSuiteCommand } from './suite-process.ts'

/** The redirect URI of the suite's client, on a port of its choice (RFC 8252, 7.3). */
const REDIRECT_URI = 'http://127.0.0.1/callback'

/** The pre-registered client, in the form of `OAUTH_CLIENTS`. */
export const PRE_REGISTERED = {
  client_id: 'conformance-suite',
  client_name: 'The conformance suite',
  redirect_uris: [REDIRECT_URI],
}

export interface AuthorizationRun {
  /** The server's URL, which is its issuer. */
  readonly url: string
  readonly clientId: string
  /** The output folder; emptied first. */
  readonly folder: string
}

/** Runs all scenarios as one client. */
export async function runAuthorizationSuite({
  url,
  clientId,
  folder,
}: AuthorizationRun): Promise<readonly Outcome[]> {
  await emptyFolder(folder)
  const scenarios: string[] = []
  await runSuiteCommand(['list', '--authorization'], folder, (line) => {
    const [, name] = /^ *- ([\w-]+)/.exec(line) ?? []
    if (name !== undefined) scenarios.push(name)
  })
  const port = String(await freePort())
  const options = ['--url', url, '--client-id', clientId, '--port', port, '--output-dir', folder]
  await runSuiteCommand(['authorization', ...options], folder, async (line) => {
    if (line.startsWith(`${url}/authorize?`)) await authorizeClient(line)
  })
  const required = scenarios.map((scenario) => ({ scenario, scored: true }))
  return readOutcomes('authorization-server', required, folder)
}

/** Registers a client like the one above (RFC 7591) and returns its id. */
export async function registerClient(url: string): Promise<string> {
  const { client_id: _, ...metadata } = PRE_REGISTERED
  const response = await fetch(`${url}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...metadata, token_endpoint_auth_method: 'none' }),
  })
  if (response.status !== 201) throw new Error(`Registering failed: ${response.status}`)
  return ((await response.json()) as { client_id: string }).client_id
}

/** Opens the consent page and grants consent; the redirect ends at the suite. */
async function authorizeClient(authorizeUrl: string): Promise<void> {
  const browser = createBrowser()
  const page = await browser.open(authorizeUrl)
  const end = await browser.open(page.url, { decision: 'allow' })
  if (end.status !== 200) throw new Error(`The browser ended at ${end.url.pathname}`)
}
