/**
 * Obtains an access token for scripts and curl: registers a one-time client, lets the user
 * authorize it in a browser, and prints only the token to standard output, everything else to
 * standard error. The token works for `/http`, `/mcp` and `/sse`. Requires the URL of a server as
 * its argument.
 */

import { auth } from '@modelcontextprotocol/client'
import { openCallback } from './token/callback.ts'
import { createOneRunClient } from './token/oauth-client.ts'

class Refusal extends Error {}

async function getToken(server: URL): Promise<string> {
  const callback = await openCallback()
  try {
    const client = createOneRunClient('MCP Template token', callback.redirectUri)
    const serverUrl = new URL('/http', server)
    await auth(client, { serverUrl })
    const answered = callback.wait(client.expectedState)
    console.error(`Open this page and authorize the client:\n\n${client.authorizeUrl()}\n`)
    const answer = await answered
    const authorizationCode = answer.get('code')
    const iss = answer.get('iss')
    if (authorizationCode === null) {
      throw new Refusal(answer.get('error_description') ?? 'The server gave no code.')
    }
    await auth(client, { serverUrl, authorizationCode, ...(iss !== null && { iss }) })
    const tokens = client.tokens()
    if (tokens === undefined) throw new Refusal('The server gave no token.')
    const minutes = Math.round((tokens.expires_in ?? 0) / 60)
    console.error(`It is valid for ${minutes} minutes. Scopes: ${tokens.scope ?? 'not named'}`)
    return tokens.access_token
  } finally {
    callback.close()
  }
}

const [address = '', ...others] = process.argv.slice(2)
try {
  if (!URL.canParse(address) || others.length > 0) {
    throw new Refusal('Name a server: npx @mcp-template/doctor token http://localhost:6901')
  }
  console.log(await getToken(new URL(address)))
} catch (error) {
  // The failure is between the servers and the user: a stack trace would not help.
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
