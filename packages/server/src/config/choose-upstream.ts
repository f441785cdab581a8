/** Chooses the demo or the upstreams. Faults: an incomplete one; none in production. */

import { dialectOf } from './apply-preset.ts'
import { chooseApi, splitHeader } from './choose-api.ts'
import { chooseClientAuth } from './choose-client-auth.ts'
import { withExchange } from './choose-exchange.ts'
import { chooseService } from './choose-service.ts'
import { chooseAllow } from './choose-sign-in.ts'
import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import { isLoopbackHost } from './loopback.ts'
import { readNamed } from './named-upstreams.ts'
import type { UpstreamSecrets } from './secrets.ts'
import type {
  AllowRule,
  ConfiguredUpstream,
  NamedUpstream,
  ProviderConfig,
  UpstreamConfig,
} from './shape.ts'
import type { RawVariables } from './sources.ts'
import { requireComplete, upstreamEndpoints } from './upstream-complete.ts'
import type { UpstreamVariables } from './upstream-variables.ts'
import type { Variables } from './variables.ts'

/** Variables that imply an upstream; the others have harmless defaults. */
const UPSTREAM_VARIABLES = [
  'UPSTREAM_KEY_CHECK',
  'UPSTREAM_PRESET',
  'UPSTREAM_ISSUER',
  ...upstreamEndpoints,
  'UPSTREAM_CLIENT_ID',
  'UPSTREAM_CLIENT_SECRET',
  'UPSTREAM_CLIENT_KEY',
  'UPSTREAM_CLIENT_CERT',
  'UPSTREAM_API_URL',
  'UPSTREAM_API_KEY',
  ...(['UPSTREAM_TOKEN_EXCHANGE', 'UPSTREAM_AUDIENCE'] as const),
  ...(['UPSTREAM_SERVICE_KEY', 'UPSTREAM_SERVICE_CLIENT_ID'] as const),
] as const

const DEFAULT_ISSUER_SCOPES = ['openid', 'offline_access']

/** One upstream, with its allow rules and secrets. */
export interface ChosenUpstream<Chosen = UpstreamConfig> {
  readonly config: Chosen
  readonly allow: readonly AllowRule[] | undefined
  readonly secrets: UpstreamSecrets
}

/** Whether any variable names an upstream, even an incomplete one. */
export function namesUpstream(raw: RawVariables): boolean {
  const { UPSTREAM_AUTH: auth = 'oauth' } = raw
  const { UPSTREAM_SERVICE: service = 'none' } = raw
  if (service !== 'none') return true
  return auth !== 'oauth' || UPSTREAM_VARIABLES.some((name) => raw[name] !== undefined)
}

/**
 * Chooses the demo or the upstreams, the first one first. The result is valid only if no fault was
 * added.
 */
export function chooseUpstreams(
  raw: RawVariables,
  variables: Variables,
  faults: Faults,
): readonly [first: ChosenUpstream, ...further: ChosenUpstream<NamedUpstream>[]] {
  const further = readNamed(raw, variables, faults).map((named) => {
    const why = 'is missing: UPSTREAMS names this upstream'
    const chosen = chooseNamed(named.name, named.raw, named.variables, why, named.faults)
    return withExchange(chosen, named.variables, variables, named.faults)
  })
  const [head, ...rest] = further
  const stands = head !== undefined && !namesUpstream(raw) && variables.DEMO !== 'on'
  const chosen = stands
    ? ([head, ...rest] as const)
    : ([chooseFirst(raw, variables, faults), ...further] as const)
  const [{ config: first }, ...others] = chosen
  if (first.kind === 'operator' && others.some(({ config }) => config.kind !== 'operator')) {
    faults.add('UPSTREAMS', FIRST_WITHOUT_PEOPLE)
  }
  return chosen
}

const FIRST_WITHOUT_PEOPLE =
  'must begin with an upstream that people sign in at: the first has UPSTREAM_AUTH=none, but another does not'

function chooseFirst(raw: RawVariables, variables: Variables, faults: Faults): ChosenUpstream {
  const isProduction = variables.NODE_ENV === 'production'
  const isConfigured = namesUpstream(raw)
  if (isProduction && variables.DEMO === 'on') {
    faults.add('DEMO', 'is refused in production when it is on: anybody can sign in at the demo')
  }
  if (!isConfigured && !isProduction && variables.DEMO !== 'off') return demo(variables, faults)

  const why = reason(isProduction, isConfigured)
  const upstream = chooseNamed(variables.UPSTREAM_NAME, raw, variables, why, faults)
  const chosen = withExchange(upstream, variables, variables, faults)
  return variables.DEMO === 'on' ? demo(variables, faults) : chosen
}

/** The same rules as for PUBLIC_URL apply: the demo's provider is below it. */
function demo(variables: Variables, faults: Faults): ChosenUpstream {
  const { PUBLIC_URL } = variables
  if (PUBLIC_URL !== undefined && !maySpeakSecrets(PUBLIC_URL)) {
    faults.add('PUBLIC_URL', 'must use https, or localhost, while the demo is on')
  }
  const config = { kind: 'demo' } as const
  const allow = chooseAllow(variables, config, faults)
  return { config, allow, secrets: secretsOf(variables) }
}

function reason(isProduction: boolean, isConfigured: boolean): string {
  if (isProduction) return 'is required in production'
  return isConfigured
    ? 'is required with the other UPSTREAM_ variables'
    : 'is required without the demo (DEMO=off, or demo: false in src/server.ts)'
}

/** `why` follows the name of what is missing. */
function chooseNamed(
  name: string,
  raw: RawVariables,
  variables: UpstreamVariables,
  why: string,
  faults: Faults,
): ChosenUpstream<NamedUpstream> {
  requireComplete(raw, variables, why, faults)
  requireHttps(variables, faults)
  const config = configured(name, raw, variables, faults)
  return { config, allow: chooseAllow(variables, config, faults), secrets: secretsOf(variables) }
}

function configured(
  name: string,
  raw: RawVariables,
  variables: UpstreamVariables,
  faults: Faults,
): NamedUpstream {
  const api = chooseApi(variables, faults)
  const service = chooseService(variables, faults)
  if (variables.UPSTREAM_AUTH === 'none') return { kind: 'operator', name, api }
  if (variables.UPSTREAM_AUTH === 'key') {
    const [header = '', template = ''] = splitHeader(variables.UPSTREAM_KEY_HEADER)
    const checkPath = variables.UPSTREAM_KEY_CHECK ?? ''
    return { kind: 'key', name, api, checkPath, keyHeader: { name: header, template }, ...service }
  }
  const provider = chooseProvider(raw, variables, faults)
  return {
    ...signedInAt(name, variables, provider),
    api,
    ...service,
    ...chooseClientAuth(variables, faults),
    ...defined({ dialect: dialectOf(raw) }),
  }
}

function secretsOf(variables: UpstreamVariables): UpstreamSecrets {
  return {
    clientSecret: variables.UPSTREAM_CLIENT_SECRET,
    clientKey: variables.UPSTREAM_CLIENT_KEY,
    apiKey: variables.UPSTREAM_API_KEY,
    serviceKey: variables.UPSTREAM_SERVICE_KEY,
    serviceClientSecret: variables.UPSTREAM_SERVICE_CLIENT_SECRET,
  }
}

/** RFC 6749, section 3.1.2.1 and 3.2: codes and tokens require TLS. */
function requireHttps(variables: UpstreamVariables, faults: Faults): void {
  for (const name of ['UPSTREAM_ISSUER', ...upstreamEndpoints] as const) {
    const given = variables[name]
    if (given !== undefined && !maySpeakSecrets(given)) {
      faults.add(name, 'must use https, or localhost')
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

function chooseProvider(
  raw: RawVariables,
  variables: UpstreamVariables,
  faults: Faults,
): ProviderConfig {
  const { UPSTREAM_ISSUER: issuer } = variables
  if (issuer !== undefined) {
    for (const name of upstreamEndpoints) {
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

function signedInAt(
  name: string,
  variables: UpstreamVariables,
  provider: ProviderConfig,
): Omit<ConfiguredUpstream, 'api'> {
  const { UPSTREAM_TOKEN_PARAMETERS: tokenParameters } = variables
  return {
    kind: 'configured',
    name,
    provider,
    clientId: variables.UPSTREAM_CLIENT_ID ?? '',
    scopes: variables.UPSTREAM_SCOPES ?? ('issuer' in provider ? issuerScopes(variables) : []),
    authorizationParameters: variables.UPSTREAM_AUTHORIZATION_PARAMETERS,
    ...(Object.keys(tokenParameters).length > 0 && { tokenParameters }),
  }
}

/** UPSTREAM_ALLOW may match email addresses, which providers send for the scope `email`. */
function issuerScopes({ UPSTREAM_ALLOW: allow }: UpstreamVariables): readonly string[] {
  return allow === undefined ? DEFAULT_ISSUER_SCOPES : [...DEFAULT_ISSUER_SCOPES, 'email']
}
