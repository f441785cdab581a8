/**
 * The scopes that challenges request from an external issuer: by its names, and only known ones.
 */

import { describe, expect, onTestFinished, test } from 'vitest'
import { startExternalIssuer } from '../support/external-issuer.ts'
import { startTokenApp, withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

const OAUTH_SCOPE_MAP = JSON.stringify({
  'api://bank/Service.Read': 'service:read',
  'Service.Read': 'service:read',
})

describe('the scopes to request', () => {
  const scopesOf = async (at: { readonly url: string }) => {
    const document = await fetch(`${at.url}/.well-known/oauth-protected-resource/mcp`)
    return ((await document.json()) as { scopes_supported: string[] }).scopes_supported
  }

  test('are those of the issuer, in the metadata and in challenges', async () => {
    const app = await startTokenApp({ env: { OAUTH_SCOPE_MAP } })
    onTestFinished(() => app.stop())
    expect(await scopesOf(app)).toContain('api://bank/Service.Read')
    expect(await scopesOf(app)).not.toContain('service:read')
    const claims = { ...app.issuer.claims(`${app.url}/mcp`), scope: 'other:read' }
    const headers = withToken(await app.issuer.sign(claims))
    const { headers: answered } = await read(
      postModern(app.url, 'tools/call', { name: 'service', arguments: {} }, { headers }),
    )
    expect(answered.get('www-authenticate')).toContain('scope="other:read api://bank/Service.Read"')
  })

  test.each<[string, object, boolean]>([
    ['that does not know it', { scopes_supported: ['openid', 'service:read'] }, false],
    ['that says nothing of scopes', { scopes_supported: undefined }, false],
    ['that knows it', { scopes_supported: ['openid', 'mcp'] }, true],
  ])('have `mcp` for an issuer %s: %j', async (_which, metadata, has) => {
    const issuer = await startExternalIssuer()
    onTestFinished(() => issuer.stop())
    issuer.metadataIs(metadata)
    const own = await startTokenApp({ env: { OAUTH_ISSUER: issuer.url, MCP_AUTH: 'required' } })
    onTestFinished(() => own.stop())
    expect((await scopesOf(own)).includes('mcp')).toBe(has)
    const { headers } = await read(postModern(own.url, 'tools/list', {}))
    expect(/scope="mcp /.test(headers.get('www-authenticate') ?? '')).toBe(has)
  })
})
