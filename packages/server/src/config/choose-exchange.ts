/** Token exchange at an upstream: requires tokens of an external issuer, and a confidential client. */

import type { ChosenUpstream } from './choose-upstream.ts'
import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import type { NamedUpstream } from './shape.ts'
import type { UpstreamVariables } from './upstream-variables.ts'
import type { Variables } from './variables.ts'

/** Scopes of a sign-in, which an exchange does not request. */
const SIGN_IN_SCOPES = ['openid', 'offline_access']

/** Adds the exchange to an upstream if its variables switch it on. */
export function withExchange(
  chosen: ChosenUpstream<NamedUpstream>,
  own: UpstreamVariables,
  shared: Variables,
  faults: Faults,
): ChosenUpstream<NamedUpstream> {
  const { UPSTREAM_TOKEN_EXCHANGE: kind, UPSTREAM_AUDIENCE: audience } = own
  if (audience !== undefined && kind !== 'rfc8693') {
    faults.add('UPSTREAM_AUDIENCE', 'requires UPSTREAM_TOKEN_EXCHANGE=rfc8693')
  }
  const { config } = chosen
  if (kind === undefined || config.kind !== 'configured') return chosen
  for (const reason of conflicts(own, shared)) faults.add('UPSTREAM_TOKEN_EXCHANGE', reason)
  if (kind === 'entra-obo' && config.scopes.every((scope) => SIGN_IN_SCOPES.includes(scope))) {
    faults.add('UPSTREAM_SCOPES', 'must name scopes of the API with UPSTREAM_TOKEN_EXCHANGE')
  }
  if (isElsewhere(own, shared)) faults.warn('token_exchange_elsewhere', ELSEWHERE)
  return { ...chosen, config: { ...config, tokenExchange: { kind, ...defined({ audience }) } } }
}

function conflicts(own: UpstreamVariables, shared: Variables): readonly string[] {
  const { UPSTREAM_CLIENT_SECRET: secret, UPSTREAM_CLIENT_KEY: key } = own
  return [
    ...(shared.OAUTH_ISSUER === undefined ? [NEEDS_ISSUER] : []),
    ...(shared.OAUTH_CLIENTS_WITHOUT_AUDIENCE === undefined ? [] : [NEEDS_AUDIENCE]),
    ...(own.UPSTREAM_ALLOW === undefined ? [] : [NOBODY_ASKED]),
    ...(secret === undefined && key === undefined ? [NEEDS_SECRET] : []),
  ]
}

/** Whether the tokens go to another origin than that of their issuer. */
function isElsewhere(
  { UPSTREAM_ISSUER: issuer, UPSTREAM_TOKEN_ENDPOINT: endpoint = issuer }: UpstreamVariables,
  { OAUTH_ISSUER: from }: Variables,
): boolean {
  if (endpoint === undefined || from === undefined) return false
  return new URL(endpoint).origin !== new URL(from).origin
}

const NEEDS_ISSUER = 'requires OAUTH_ISSUER, whose tokens are exchanged'

const NEEDS_AUDIENCE =
  'conflicts with OAUTH_CLIENTS_WITHOUT_AUDIENCE; set one: only tokens issued for this server are exchanged'

const NOBODY_ASKED =
  'conflicts with UPSTREAM_ALLOW; set one: nobody signs in, so that there is no account to check'

const NEEDS_SECRET = 'requires UPSTREAM_CLIENT_SECRET or UPSTREAM_CLIENT_KEY'

const ELSEWHERE =
  'UPSTREAM_TOKEN_EXCHANGE sends tokens of OAUTH_ISSUER to the token endpoint of another server: that server can use them here on behalf of their owners'
