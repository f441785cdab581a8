/** Sign-in for clients: the built-in authorization server, or an external one in its place. */

import { describe, expect, it } from 'vitest'
import { DEVELOPMENT_JWT_SECRET } from '../../src/config/choose-auth.ts'
import { faultsOf, load, production } from './load.ts'

const OAUTH_ISSUER = 'https://login.example.com/realms/mcp'

describe('JWT_SECRET', () => {
  it('is the published one in development, which production refuses', () => {
    expect(load().secrets.jwtSecret).toBe(DEVELOPMENT_JWT_SECRET)
    const env = { ...production, JWT_SECRET: DEVELOPMENT_JWT_SECRET }
    expect(faultsOf(env)).toEqual(['JWT_SECRET'])
  })

  it.each([{ JWT_ALG: 'ES256' }, { JWT_ALG: 'EdDSA' }, { OAUTH_ISSUER }])(
    'is not needed in production with %j',
    (other) => {
      expect(() => load({ ...production, JWT_SECRET: '', ...other })).not.toThrow()
    },
  )
})

describe('an external issuer', () => {
  it('takes the place of the built-in one', () => {
    expect(load({ OAUTH_ISSUER }).config.auth.issuer).toEqual({
      kind: 'external',
      url: OAUTH_ISSUER,
    })
    const OAUTH_AUDIENCE = 'api://mcp https://mcp.example.com'
    expect(load({ OAUTH_ISSUER, OAUTH_AUDIENCE }).config.auth.issuer).toMatchObject({
      audience: ['api://mcp', 'https://mcp.example.com'],
    })
  })

  it('wants https in production, except on the machine itself', () => {
    const at = (issuer: string) => ({ ...production, OAUTH_ISSUER: issuer })
    expect(faultsOf(at('http://login.example.com'))).toEqual(['OAUTH_ISSUER'])
    expect(() => load(at('http://127.0.0.1:8080'))).not.toThrow()
  })

  it('is what OAUTH_AUDIENCE belongs to', () => {
    expect(faultsOf({ OAUTH_AUDIENCE: 'api://mcp' })).toEqual(['OAUTH_AUDIENCE'])
  })
})
