/** The variables of an external issuer: which of its tokens are accepted, and what they permit. */

import { facts } from './facts.ts'
import { endpoint, integer, oneOf, pattern, scopeMap, text, words } from './values.ts'

const DAY = 24 * 60 * 60
const ENDPOINT = 'an http or https address without a fragment'

export const issuerVariables = {
  OAUTH_TOKEN_ISSUERS: words('issuers separated by spaces', /^https?:\/\/\S+$/i)
    .optional()
    .register(facts, {
      what: 'Accepted values of `iss` in tokens, if other than OAUTH_ISSUER: Entra has `https://sts.windows.net/TENANT/` in tokens of version 1. `{tenantid}` stands for the claim `tid`, with OAUTH_TENANTS.',
      defaultText: 'OAUTH_ISSUER',
    }),
  OAUTH_TENANTS: words('ids of tenants separated by spaces', /^[\w.-]+$/)
    .optional()
    .register(facts, { what: 'The tenants that `{tenantid}` in OAUTH_TOKEN_ISSUERS may be.' }),
  OAUTH_CLIENTS_WITHOUT_AUDIENCE: words('client ids separated by spaces')
    .optional()
    .register(facts, {
      what: 'Clients whose tokens may lack `aud`, as those of Amazon Cognito do. Such tokens are not bound to this server.',
    }),
  OAUTH_SCOPE_CLAIMS: words('names of claims separated by spaces', /^[^\s]{1,200}$/)
    .optional()
    .register(facts, {
      what: 'The claims that contain scopes, as a string or a list; dots select nested claims. Entra has `roles` for apps, Auth0 `permissions`, Keycloak `realm_access.roles`.',
      defaultText: '`scope scp`',
    }),
  OAUTH_SCOPE_MAP: scopeMap(
    'a JSON object from scopes of the issuer to scopes of tools, such as {"Service.Read.All":"service:read"}',
  )
    .optional()
    .register(facts, {
      what: 'Maps scopes and roles of the issuer to scopes of tools. Challenges name scopes of the issuer: of several for one scope, the first.',
    }),
  OAUTH_TOKEN_MAX_AGE: integer(60, 30 * DAY)
    .optional()
    .register(facts, {
      what: 'The age at which a token of OAUTH_ISSUER is refused, in seconds, whatever its own expiry. The end of a session is remembered for this long.',
      defaultText: String(DAY),
    }),
  OAUTH_INTROSPECTION: oneOf('off', 'opaque', 'always').default('off').register(facts, {
    what: 'Whether tokens are introspected at the issuer (RFC 7662): never, only those that are not JWTs, or all. A response is cached for up to 60 seconds.',
  }),
  OAUTH_INTROSPECTION_ENDPOINT: endpoint(ENDPOINT).optional().register(facts, {
    what: 'The introspection endpoint of the issuer.',
    defaultText: 'as the metadata of OAUTH_ISSUER says',
  }),
  OAUTH_INTROSPECTION_CLIENT_ID: text('the client id').optional().register(facts, {
    what: 'The client id of this server for introspection.',
  }),
  OAUTH_INTROSPECTION_CLIENT_SECRET: pattern(/^\S(.*\S)?$/s, 'the client secret')
    .optional()
    .register(facts, { what: 'The secret of OAUTH_INTROSPECTION_CLIENT_ID.', secret: true }),
  OAUTH_INTROSPECTION_AUTH: oneOf('basic', 'basic-raw', 'post').optional().register(facts, {
    what: 'How that secret is sent; see UPSTREAM_CLIENT_AUTH.',
    defaultText: 'basic',
  }),
}
