/** The variables of the identity provider and the API behind the tools. */

import { z } from 'zod'
import { certificate, privateKey } from './client-key.ts'
import { facts } from './facts.ts'
import { PRESET_NAMES } from './presets.ts'
import { serviceVariables } from './service-variables.ts'
import {
  address,
  endpoint,
  integer,
  list,
  oneOf,
  parameters,
  pattern,
  text,
  words,
} from './values.ts'

/** Parameters that the sign-in itself sets; overriding them would disable its checks. */
const OWN_PARAMETERS =
  /^(client_id|redirect_uri|response_type|response_mode|scope|state|nonce|code_challenge|code_challenge_method|request|request_uri)$/

const OWN_TOKEN_PARAMETERS =
  /^(client_id|client_secret|client_assertion|client_assertion_type|grant_type|code|code_verifier|redirect_uri|refresh_token|scope|subject_token|subject_token_type|actor_token|actor_token_type|requested_token_type|requested_token_use|assertion)$/

const PARAMETERS =
  'parameters as in an address, `name=value&name=value`, each once and none of OAuth itself'

const ENDPOINT = 'an http or https address without fragment and credentials'

/**
 * Refuses dot segments, which the URL parser removes: they would address another path (RFC 3986,
 * 5.2.4).
 */
const KEY_CHECK = /^\/(?!\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[\w.~!$&'()*+,;=:@%/-]*$/

/** Headers of framing and routing, which must not carry a key. */
const FRAMING =
  '(?!(?:host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|expect|accept|accept-encoding|user-agent):)'

const API_KEY_HEADER = /^[!#$%&'*+.^_`|~\w-]+(?:: ?(?=[^{]*\{key\}[^{]*$)[\x20-\x7e]+)?$/

const KEY_HEADER = new RegExp(
  `^${FRAMING}[!#$%&'*+.^_\`|~\\w-]+: ?(?=[^{]*\\{key\\}[^{]*$)[\\x20-\\x7e]+$`,
  'i',
)

const NAME = /^[a-z][a-z\d-]{0,31}$/

export const upstreamVariables = {
  UPSTREAMS: list(NAME, 'names separated by commas, each of letters, digits and hyphens')
    .default([])
    .register(facts, {
      what: 'Names of further upstreams, such as `github,jira`. Each has its own set of all variables below except UPSTREAM_NAME, with its name after the first word: UPSTREAM_GITHUB_PRESET, UPSTREAM_JIRA_API_URL (a hyphen becomes `_`). The upstream of the variables without a name is the first; without such variables, the first of this list is. See [several upstreams](sign-in.md#several-upstreams).',
    }),
  UPSTREAM_NAME: pattern(NAME, 'up to 32 lower-case letters, digits and hyphens')
    .default('upstream')
    .register(facts, {
      what: 'The name of the upstream, in its redirect URI and in the session.',
    }),
  UPSTREAM_AUTH: oneOf('oauth', 'key', 'none').default('oauth').register(facts, {
    what: 'How people are identified at the API: by signing in at the identity provider (`oauth`), by a key that each of them pastes on a page of this server (`key`), or not at all (`none`): only UPSTREAM_API_KEY is sent then.',
  }),
  UPSTREAM_KEY_CHECK: pattern(KEY_CHECK, 'a path such as /user, without query and fragment')
    .optional()
    .register(facts, {
      what: 'With UPSTREAM_AUTH=key: the path below UPSTREAM_API_URL that checks a pasted key by a GET; 401 and 403 reject the key.',
    }),
  UPSTREAM_KEY_HEADER: pattern(
    KEY_HEADER,
    'a header with {key} once in it, such as X-Api-Key: {key}',
  )
    .default('Authorization: Bearer {key}')
    .register(facts, { what: 'With UPSTREAM_AUTH=key: the header that a pasted key is sent in.' }),
  UPSTREAM_PRESET: oneOf(...PRESET_NAMES)
    .optional()
    .register(facts, {
      what: 'A known identity provider, whose endpoints, scopes and parameters become defaults. See [providers](providers.md).',
    }),
  UPSTREAM_ISSUER: address('an http or https address without query, fragment and credentials')
    .optional()
    .register(facts, {
      what: 'The OpenID Connect issuer people sign in at; its endpoints are read from its metadata. Plain http only to this machine (localhost). For plain OAuth 2.0 set UPSTREAM_AUTHORIZATION_ENDPOINT and UPSTREAM_TOKEN_ENDPOINT instead.',
      requiredInProduction: true,
    }),
  UPSTREAM_AUTHORIZATION_ENDPOINT: endpoint(ENDPOINT).optional().register(facts, {
    what: 'Where people sign in, for a provider without OpenID Connect.',
  }),
  UPSTREAM_TOKEN_ENDPOINT: endpoint(ENDPOINT).optional().register(facts, {
    what: 'Where codes and refresh tokens are exchanged, for a provider without OpenID Connect.',
  }),
  UPSTREAM_REVOCATION_ENDPOINT: endpoint(ENDPOINT).optional().register(facts, {
    what: 'Where tokens are revoked, for a provider without OpenID Connect.',
  }),
  UPSTREAM_USERINFO_ENDPOINT: endpoint(ENDPOINT).optional().register(facts, {
    what: 'Where the name of the person is read, for a provider without OpenID Connect.',
  }),
  UPSTREAM_CLIENT_ID: text('the client id').optional().register(facts, {
    what: 'The client id this server has at the identity provider.',
    requiredInProduction: true,
  }),
  UPSTREAM_CLIENT_SECRET: text('the client secret').optional().register(facts, {
    what: 'The client secret this server has at the identity provider; none for a public client.',
    secret: true,
  }),
  UPSTREAM_CLIENT_AUTH: oneOf(
    ...(['auto', 'basic', 'basic-raw', 'post', 'private_key_jwt', 'tls', 'none'] as const),
  )
    .default('auto')
    .register(facts, {
      what: 'How this server authenticates at the identity provider: with the secret in a header (`basic`; `basic-raw` without percent-encoding) or in the form (`post`), with UPSTREAM_CLIENT_KEY by a signed assertion (`private_key_jwt`) or by a TLS certificate (`tls`), or not at all (`none`). `auto`: as the metadata of the provider says, else `basic`; `none` without a secret.',
    }),
  UPSTREAM_CLIENT_KEY: privateKey().optional().register(facts, {
    what: 'The private key for UPSTREAM_CLIENT_AUTH=private_key_jwt or tls, as PEM (with `\\n` for line breaks, if need be) or JWK.',
    secret: true,
  }),
  UPSTREAM_CLIENT_KEY_ID: text('the id of the key').optional().register(facts, {
    what: 'The `kid` of client assertions, if the provider identifies the key by one.',
    defaultText: 'that of the JWK',
  }),
  UPSTREAM_CLIENT_CERT: certificate().optional().register(facts, {
    what: 'The certificate of UPSTREAM_CLIENT_KEY as PEM: presented with `tls`; with private_key_jwt its thumbprint is in the assertion (`x5t#S256`), as Microsoft Entra requires.',
  }),
  UPSTREAM_SCOPES: words('scopes separated by spaces').optional().register(facts, {
    what: 'The scopes requested when people sign in.',
    defaultText: '`openid offline_access` with an issuer, else none',
  }),
  UPSTREAM_AUTHORIZATION_PARAMETERS: parameters(PARAMETERS, OWN_PARAMETERS)
    .default({})
    .register(facts, {
      what: 'More parameters of the authorization request, for providers that require their own: Google issues refresh tokens for `access_type=offline&prompt=consent`. They override those that this server sends; an empty value removes one: `prompt=`.',
      defaultText: '`prompt=consent` with an issuer and the scope offline_access, else none',
    }),
  UPSTREAM_TOKEN_PARAMETERS: parameters(PARAMETERS, OWN_TOKEN_PARAMETERS)
    .default({})
    .register(facts, {
      what: 'More parameters for the requests that exchange codes and refresh tokens, such as `audience` or `resource`.',
      defaultText: 'none',
    }),
  UPSTREAM_TOKEN_EXCHANGE: oneOf('rfc8693', 'entra-obo').optional().register(facts, {
    what: 'With OAUTH_ISSUER: whether the token of the caller is exchanged for one of the API, so that people do not sign in twice. By token exchange (`rfc8693`) or the on-behalf-of flow of Microsoft Entra (`entra-obo`). See [on behalf of](sign-in.md#on-behalf-of-the-caller-token-exchange).',
    defaultText: 'people sign in',
  }),
  UPSTREAM_AUDIENCE: text('the name of the API at the provider').optional().register(facts, {
    what: 'With UPSTREAM_TOKEN_EXCHANGE=rfc8693: the `audience` of exchanged tokens. The scopes are those of UPSTREAM_SCOPES, without `openid` and `offline_access`.',
  }),
  UPSTREAM_ALLOW: text(
    'entries separated by commas: @example.com, ada@example.com, sub:ID, group:NAME or claim=value',
  )
    .optional()
    .register(facts, {
      what: 'Who may sign in; one entry must match: a domain or an address of a verified email, a subject, a group (claim `groups`), or any claim of the ID token or userinfo. See [sign-in](sign-in.md#who-may-sign-in).',
      defaultText: 'everybody who can sign in upstream',
    }),
  UPSTREAM_API_URL: address('an http or https address without query, fragment and credentials')
    .optional()
    .register(facts, {
      what: 'The base address of the API that tools call.',
      requiredInProduction: true,
    }),
  UPSTREAM_API_KEY: pattern(/^[\x21-\x7e]+$/, 'visible ASCII characters')
    .optional()
    .register(facts, {
      what: 'A key sent with every call to the API, in addition to the access token of the person.',
      secret: true,
    }),
  UPSTREAM_API_KEY_HEADER: pattern(
    API_KEY_HEADER,
    'the name of an HTTP header, or a header with {key} in it',
  )
    .default('x-api-key')
    .register(facts, {
      what: 'The header UPSTREAM_API_KEY is sent in; or a pattern with more than the key, such as `Authorization: Bearer {key}`.',
    }),
  ...serviceVariables,
  UPSTREAM_API_TIMEOUT: integer(1, 600).default(10).register(facts, {
    what: 'How long one call to the API may take, in seconds.',
  }),
}

const { UPSTREAMS: _names, UPSTREAM_NAME: _name, ...ofEach } = upstreamVariables

/** The variables that each upstream has. */
export const eachUpstream = z.object(ofEach)

export type UpstreamVariables = z.output<typeof eachUpstream>
