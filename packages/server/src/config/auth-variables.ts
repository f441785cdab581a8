/** The variables of client authorization: who may call, and which tokens are issued. */

import { facts } from './facts.ts'
import { address, integer, jsonArray, list, oneOf, pattern, words } from './values.ts'

const DAY = 24 * 60 * 60
/** RFC 6749, section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

export const authVariables = {
  MCP_AUTH: oneOf('optional', 'required').default('optional').register(facts, {
    what: 'Whether /mcp and /sse serve callers without an access token. /http always wants one.',
  }),
  LOGIN: oneOf('on-demand', 'at-authorize').optional().register(facts, {
    what: 'When people sign in upstream: once a tool needs it, or while they let a client in. With `on-demand` nobody authenticates for an access token: whoever reaches the server can approve a client.',
    defaultText: '`at-authorize` with MCP_AUTH=required and an upstream, else `on-demand`',
  }),
  JWT_ALG: oneOf('HS256', 'ES256', 'EdDSA').default('HS256').register(facts, {
    what: 'How access tokens are signed: with JWT_SECRET (HS256), or with keys that are made and replaced in the store and published at /jwks.',
  }),
  JWT_SECRET: pattern(/^[\x20-\x7e]{32,}$/, 'at least 32 visible ASCII characters')
    .optional()
    .register(facts, {
      what: 'Signs access tokens, with JWT_ALG=HS256. Whoever has it can make tokens, but none that the store does not know.',
      secret: true,
      requiredInProduction: true,
      defaultText: 'a published secret, for development',
    }),
  AUTH_CODE_TTL: integer(10, 600).default(600).register(facts, {
    what: 'How long an authorization code can be exchanged, in seconds.',
  }),
  ACCESS_TOKEN_TTL: integer(30, DAY)
    .default(3600)
    .register(facts, { what: 'How long an access token is good, in seconds.' }),
  REFRESH_TOKEN_TTL: integer(60, 365 * DAY)
    .default(14 * DAY)
    .register(facts, {
      what: 'How long a client stays let in, in seconds: refreshing does not prolong it.',
    }),
  REFRESH_GRACE: integer(0, 120).default(60).register(facts, {
    what: 'How long the refresh token before the current one may be used again, in seconds: clients lose answers and refresh in parallel. 0 to refuse it.',
  }),
  SESSION_CONTINUE: oneOf('on', 'off').default('on').register(facts, {
    what: 'Whether a client that a person authorizes again from the same browser goes on with its live session. `off` for machines that several people share.',
  }),
  PERSONAL_TOKEN_DAYS: integer(0, 365).default(0).register(facts, {
    what: 'The longest lifetime of personal access tokens, in days: people make them at /account, for jobs and scripts that act for them. 0: nobody can make any.',
  }),
  OAUTH_DEFAULT_SCOPES: words('scopes separated by spaces', SCOPE).optional().register(facts, {
    what: 'The scopes of clients that ask for none, and those named when a token is asked for. Tools with other scopes make the client come back for more.',
    defaultText: 'all scopes of all tools',
  }),
  OAUTH_REDIRECT_SCHEMES: list(/^[a-z][a-z\d+.-]*$/, 'URI schemes separated by commas')
    .default(['cursor', 'vscode', 'vscode-insiders', 'windsurf', 'claude'])
    .register(facts, {
      what: 'Custom URI schemes that clients may be sent back to, besides https and loopback addresses.',
    }),
  OAUTH_CLIENTS: jsonArray('a JSON array of clients (RFC 7591 metadata with a client_id)')
    .default([])
    .register(facts, {
      what: 'Clients known from the start: `[{"client_id":"…","client_secret":"…","client_name":"…","redirect_uris":["…"]}]`; without client_secret public ones. `"skip_consent":true` leaves the consent page out. With `"token_endpoint_auth_method":"private_key_jwt"` and `jwks` or `jwks_uri` a client signs its token requests. With `"grant_types":["client_credentials"]` a confidential client gets tokens without a person, for the scopes in its `scope`; see [machines](machines.md).',
      secret: true,
    }),
  OAUTH_ID_JAG_ISSUERS: words('issuers separated by spaces', /^https?:\/\/[^\s?#]+$/i)
    .optional()
    .register(facts, {
      what: 'Identity providers whose identity assertions (ID-JAG) clients exchange for access tokens, without a consent page: enterprise-managed authorization. Their keys are read from their metadata. https in production. See [machines](machines.md).',
      defaultText: 'none',
    }),
  OAUTH_ISSUER: address('an http or https address without query and fragment')
    .optional()
    .register(facts, {
      what: 'An external authorization server that takes the place of the built-in one; its keys are read from its metadata. https in production.',
    }),
  OAUTH_AUDIENCE: words('audiences separated by spaces').optional().register(facts, {
    what: 'What tokens of OAUTH_ISSUER must name as their audience.',
    defaultText: 'the address of /mcp, /sse or /http',
  }),
}
