/** Parameters at `/authorize` that only OpenID Connect defines, as its clients send them. */

import { describe, expect, test } from 'vitest'
import { createOAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'
import { withToken } from '../support/token-app.ts'
import { postModern } from '../support/wire.ts'
import { startGuarded } from './apps.ts'

describe('parameters that only OpenID Connect defines', () => {
  test.each([
    { prompt: 'select_account' },
    { prompt: 'select_account consent' },
    { prompt: 'create' },
    { max_age: '0' },
    { acr_values: '1' },
    { claims: 'not json' },
    { login_hint: 'ada@example.com', ui_locales: 'de', display: 'popup' },
    { scope: 'openid mcp', max_age: '3600', claims: '{"id_token":{"acr":null}}' },
  ])('%j is ignored', async (asked) => {
    const { url } = await startGuarded()
    const client = await createOAuthClient(url)
    const headers = withToken((await client.connect(asked)).access_token)
    expect((await postModern(url, 'tools/list', {}, { headers })).status).toBe(200)
  })

  test('except a prompt of none, which permits no page', async () => {
    const { url } = await startGuarded()
    const { id: client_id } = await createOAuthClient(url)
    const asked = new URLSearchParams({
      ...{ client_id, response_type: 'code', redirect_uri: REDIRECT_URI, prompt: 'none' },
      ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', state: 's' },
      code_challenge_method: 'S256',
    })
    const { headers } = await fetch(`${url}/authorize?${asked}`, { redirect: 'manual' })
    const { searchParams } = new URL(headers.get('location') ?? '')
    expect(searchParams.get('error')).toMatch(/^(?:login|interaction|consent)_required$/)
  })
})
