/** Whose name the server shows: the team's alone. */

import assert from 'node:assert/strict'

const PATHS = ['/', '/nowhere', '/.well-known/oauth-protected-resource/mcp', '/connect/lnk_none']

/** The framework's own name in any spelling. */
const FRAMEWORK = /mcp[ _-]?template/i

/** Reads pages and documents that people and programs see. */
export async function expectOwnName(url: string): Promise<void> {
  for (const path of PATHS) {
    const response = await fetch(`${url}${path}`, { headers: { accept: 'text/html, */*' } })
    const text = `${JSON.stringify([...response.headers])}\n${await response.text()}`
    assert.doesNotMatch(text, FRAMEWORK, `${path} shows the framework's name`)
    if (path === '/') assert.match(text, /Acme Desk/)
  }
}
