/** Checks that the server shows only the team's name. */

import assert from 'node:assert/strict'

const DOCUMENTS = [
  ...['/', '/nowhere', '/connect/lnk_none', '/.well-known/oauth-authorization-server'],
  '/.well-known/oauth-protected-resource/mcp',
]
const REDIRECT_URI = 'http://127.0.0.1:33418/callback'

/** The framework's name in any spelling. */
const FRAMEWORK = /mcp[ _-]?template/i

/** The path with which a stdio client starts the command. */
const PATH_OF_COMMAND = 'node_modules/@mcp-template/server/bin/mcp-template.js'

/** Checks the output for people and programs; `signInLink` is from the tool `login`. */
export async function expectOwnName(url: string, signInLink: string): Promise<void> {
  const pages = DOCUMENTS.map((path) => `${url}${path}`)
  for (const page of [...pages, signInLink, await consentLink(url)]) {
    const text = await read(page)
    assert.doesNotMatch(text.replaceAll(PATH_OF_COMMAND, ''), FRAMEWORK, page)
    if (text.includes('<title>')) assert.match(text, /Acme Desk/, page)
  }
}

/** The URL of a consent page. */
async function consentLink(url: string): Promise<string> {
  const body = { client_name: 'A client', redirect_uris: [REDIRECT_URI] }
  const response = await fetch(`${url}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, token_endpoint_auth_method: 'none' }),
  })
  const { client_id } = (await response.json()) as { client_id: string }
  const parameters = new URLSearchParams({
    ...{ client_id, response_type: 'code', redirect_uri: REDIRECT_URI, state: 'x'.repeat(43) },
    ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', resource: `${url}/mcp` },
  })
  return `${url}/authorize?${parameters}`
}

/** Follows redirects with cookies, as a browser does. Returns all headers and bodies. */
async function read(page: string): Promise<string> {
  const cookies = new Map<string, string>()
  const seen: string[] = []
  for (let next: string | undefined = page; next !== undefined; ) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response: Response = await fetch(next, {
      redirect: 'manual',
      headers: { accept: 'text/html', cookie },
    })
    for (const header of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? []
      cookies.set(name, value)
    }
    seen.push(JSON.stringify([...response.headers]), await response.text())
    const location = response.headers.get('location')
    next = location === null ? undefined : new URL(location, next).href
  }
  return seen.join('\n')
}
