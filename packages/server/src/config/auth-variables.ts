/** The variables of client authorization: who may call, and which tokens are issued. */

import { facts } from './facts.ts'
import { address, integer, jsonArray, list, oneOf, pattern, words } from './values.ts'

const DAY = 24 * 60 * 60
/** RFC 6749, section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

export const authVariables = {
  MCP_AUTH: oneOf('optional', 'required').default('optional').register(facts, {
    what: 'Whether /mcp and /sse serve callers without an access token. /http always requires one.',
  }),
  LOGIN: oneOf('on-demand', 'at-authorize').optional().register(facts, {
    what: 'When people sign in upstream: once a tool requires it, or while they authorize a client. With `on-demand` nobody authenticates for an access token: whoever reaches the server can authorize a client.',
    defaultText: '`at-authorize` with MCP_AUTH=required and an upstream, else `on-demand`',
  }),
  JWT_ALG: oneOf('HS256', 'ES256', 'EdDSA').default('HS256').register(facts, {
    what: 'How access tokens are signed: with JWT_SECRET (HS256), or with keys that are generated and rotated in the store and published at /jwks.',
  }),
  JWT_SECRET: pattern(/^[\x20-\x7e]{32,}$/, 'at least 32 visible ASCII characters')
    .optional()
    .register(facts, {
      what: 'Signs access tokens, with JWT_ALG=HS256. Whoever has it can sign tokens, but the server accepts only those that the store knows.',
      secret: true,
      requiredInProduction: true,
      defaultText: 'a published secret, for development',
    }),
  AUTH_CODE_TTL: integer(10, 600).default(600).register(facts, {
    what: 'How long an authorization code can be exchanged, in seconds.',
  }),
  ACCESS_TOKEN_TTL: integer(30, DAY)
    .default(3600)
    .register(facts, { what: 'Lifetime of an access token, in seconds.' }),
  REFRESH_TOKEN_TTL: integer(60, 365 * DAY)
    .default(14 * DAY)
    .register(facts, {
      what: 'How long a client stays authorized, in seconds; refreshing does not extend it.',
    }),
  REFRESH_GRACE: integer(0, 120).default(60).register(facts, {
    what: 'How long the previous refresh token may still be used, in seconds: clients lose responses and refresh in parallel. 0 refuses it.',
  }),
  SESSION_CONTINUE: oneOf('on', 'off').default('on').register(facts, {
    what: 'Whether a client that a person authorizes again from the same browser continues its live session. `off` for machines that several people share.',
  }),
  OAUTH_DEFAULT_SCOPES: words('scopes separated by spaces', SCOPE).optional().register(facts, {
    what: 'The scopes of clients that request none, and those that challenges name. Tools with other scopes make the client request more (step-up authorization).',
    defaultText: 'all scopes of all tools',
  }),
  OAUTH_REDIRECT_SCHEMES: list(/^[a-z][a-z\d+.-]*$/, 'URI schemes separated by commas')
    .default(['cursor', 'vscode', 'vscode-insiders', 'windsurf', 'claude'])
    .register(facts, {
      what: 'Custom URI schemes of redirect URIs, in addition to https and loopback addresses.',
    }),
  OAUTH_CLIENTS: jsonArray('a JSON array of clients (RFC 7591 metadata with a client_id)')
    .default([])
    .register(facts, {
      what: 'Clients known from the start: `[{"client_id":"…","client_secret":"…","client_name":"…","redirect_uris":["…"]}]`; without client_secret public ones. `"skip_consent":true` skips the consent page. With `"token_endpoint_auth_method":"private_key_jwt"` and `jwks` or `jwks_uri` a client signs its token requests.',
      secret: true,
    }),
  OAUTH_ISSUER: address('an http or https address without query and fragment')
    .optional()
    .register(facts, {
      what: 'An external authorization server that replaces the built-in one; its keys are read from its metadata. https in production.',
    }),
  OAUTH_AUDIENCE: words('audiences separated by spaces').optional().register(facts, {
    what: 'What tokens of OAUTH_ISSUER must name as their audience.',
    defaultText: 'the address of /mcp, /sse or /http',
  }),
}
