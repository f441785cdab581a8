/** The demo or a configured upstream; half of one is a fault everywhere, none one in production. */

import { dialectOf } from './apply-preset.ts'
import { chooseClientAuth } from './choose-client-auth.ts'
import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import { isLoopbackHost } from './loopback.ts'
import type { ConfiguredUpstream, ProviderConfig, UpstreamConfig } from './shape.ts'
import type { RawVariables } from './sources.ts'
import type { Variables } from './variables.ts'

const ENDPOINTS = [
  'UPSTREAM_AUTHORIZATION_ENDPOINT',
  'UPSTREAM_TOKEN_ENDPOINT',
  'UPSTREAM_REVOCATION_ENDPOINT',
  'UPSTREAM_USERINFO_ENDPOINT',
] as const

/** Variables that only make sense with an upstream; the others have defaults that do no harm. */
const UPSTREAM_VARIABLES = [
  'UPSTREAM_PRESET',
  'UPSTREAM_ISSUER',
  ...ENDPOINTS,
  'UPSTREAM_CLIENT_ID',
  'UPSTREAM_CLIENT_SECRET',
  'UPSTREAM_CLIENT_KEY',
  'UPSTREAM_CLIENT_CERT',
  'UPSTREAM_API_URL',
  'UPSTREAM_API_KEY',
] as const

const DEFAULT_ISSUER_SCOPES = ['openid', 'offline_access']

/** Whether anything names an upstream, completely or not. */
export function namesUpstream(raw: RawVariables): boolean {
  return UPSTREAM_VARIABLES.some((name) => raw[name] !== undefined)
}

/** Decides between demo and upstream. The value is of use only if no fault was added. */
export function chooseUpstream(
  raw: RawVariables,
  variables: Variables,
  faults: Faults,
): UpstreamConfig {
  const isProduction = variables.NODE_ENV === 'production'
  const isConfigured = namesUpstream(raw)
  if (isProduction && variables.DEMO === 'on') {
    faults.add('DEMO', 'is refused in production when it is on: anybody can sign in at the demo')
  }
  if (!isConfigured && !isProduction && variables.DEMO !== 'off') return demo(variables, faults)

  requireComplete(raw, reason(isProduction, isConfigured), faults)
  requireHttps(variables, faults)
  const provider = chooseProvider(raw, variables, faults)
  const upstream = {
    ...configured(variables, provider),
    ...chooseClientAuth(variables, faults),
    ...defined({ dialect: dialectOf(raw) }),
  }
  return variables.DEMO === 'on' ? demo(variables, faults) : upstream
}

/** The demo's identity provider lives below PUBLIC_URL, and is held to the same. */
function demo({ PUBLIC_URL }: Variables, faults: Faults): UpstreamConfig {
  if (PUBLIC_URL !== undefined && !maySpeakSecrets(PUBLIC_URL)) {
    faults.add('PUBLIC_URL', 'wants https, or localhost, while the demo is on')
  }
  return { kind: 'demo' }
}

function reason(isProduction: boolean, isConfigured: boolean): string {
  if (isProduction) return 'is required in production'
  return isConfigured
    ? 'is missing beside the other UPSTREAM_ variables'
    : 'is required without the demo (DEMO=off, or demo: false in src/server.ts)'
}

function requireComplete(raw: RawVariables, why: string, faults: Faults): void {
  const byEndpoints = ENDPOINTS.some((name) => raw[name] !== undefined)
  const required: [name: string, hint: string][] = [
    ['UPSTREAM_CLIENT_ID', ''],
    ['UPSTREAM_API_URL', ''],
  ]
  if (byEndpoints && raw.UPSTREAM_ISSUER === undefined) {
    required.unshift(['UPSTREAM_AUTHORIZATION_ENDPOINT', ''], ['UPSTREAM_TOKEN_ENDPOINT', ''])
  } else {
    required.unshift([
      'UPSTREAM_ISSUER',
      ' (or UPSTREAM_AUTHORIZATION_ENDPOINT and UPSTREAM_TOKEN_ENDPOINT, without OpenID Connect)',
    ])
  }
  for (const [name, hint] of required) {
    if (raw[name] === undefined) faults.add(name, why + hint)
  }
}

/** RFC 6749, section 3.1.2.1 and 3.2: codes and tokens travel over TLS. */
function requireHttps(variables: Variables, faults: Faults): void {
  for (const name of ['UPSTREAM_ISSUER', ...ENDPOINTS] as const) {
    const given = variables[name]
    if (given !== undefined && !maySpeakSecrets(given)) {
      faults.add(name, 'wants https, or localhost')
    }
  }
  if (variables.UPSTREAM_ISSUER?.includes('/.well-known/')) {
    faults.add('UPSTREAM_ISSUER', 'must be the issuer, not the address of its metadata')
  }
}

function maySpeakSecrets(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return protocol === 'https:' || isLoopbackHost(hostname)
}

function chooseProvider(raw: RawVariables, variables: Variables, faults: Faults): ProviderConfig {
  const { UPSTREAM_ISSUER: issuer } = variables
  if (issuer !== undefined) {
    for (const name of ENDPOINTS) {
      if (raw[name] !== undefined) faults.add(name, 'is read from the metadata of UPSTREAM_ISSUER')
    }
    return { issuer }
  }
  return {
    authorizationEndpoint: variables.UPSTREAM_AUTHORIZATION_ENDPOINT ?? '',
    tokenEndpoint: variables.UPSTREAM_TOKEN_ENDPOINT ?? '',
    ...defined({
      revocationEndpoint: variables.UPSTREAM_REVOCATION_ENDPOINT,
      userinfoEndpoint: variables.UPSTREAM_USERINFO_ENDPOINT,
    }),
  }
}

function configured(variables: Variables, provider: ProviderConfig): ConfiguredUpstream {
  const { UPSTREAM_TOKEN_PARAMETERS: tokenParameters } = variables
  return {
    kind: 'configured',
    name: variables.UPSTREAM_NAME,
    provider,
    clientId: variables.UPSTREAM_CLIENT_ID ?? '',
    scopes: variables.UPSTREAM_SCOPES ?? ('issuer' in provider ? issuerScopes(variables) : []),
    authorizationParameters: variables.UPSTREAM_AUTHORIZATION_PARAMETERS,
    ...(Object.keys(tokenParameters).length > 0 && { tokenParameters }),
    api: {
      baseUrl: variables.UPSTREAM_API_URL ?? '',
      apiKeyHeader: variables.UPSTREAM_API_KEY_HEADER.toLowerCase(),
      timeoutMs: variables.UPSTREAM_API_TIMEOUT * 1000,
    },
  }
}

/** UPSTREAM_ALLOW may go by email addresses, which providers name for the scope `email`. */
function issuerScopes({ UPSTREAM_ALLOW: allow }: Variables): readonly string[] {
  return allow === undefined ? DEFAULT_ISSUER_SCOPES : [...DEFAULT_ISSUER_SCOPES, 'email']
}
