/** The upstream part of the configuration: identity providers and APIs. */

import type { AllowRule } from './allow-rules.ts'
import type { Dialect } from './presets.ts'
import type { UpstreamVariables } from './upstream-variables.ts'

export type UpstreamConfig = { readonly kind: 'demo' } | NamedUpstream

/** An additional upstream; its authentication method decides the kind. */
export type NamedUpstream = ConfiguredUpstream | KeyUpstream | OperatorUpstream

export type FurtherUpstream = NamedUpstream & {
  /** One must match; absent if anyone with an account there may sign in. */
  readonly allow?: readonly AllowRule[]
}

/** An API for which each user enters an API key. */
export interface KeyUpstream {
  readonly kind: 'key'
  readonly name: string
  readonly api: ApiConfig
  /** The path of the request that validates a key. */
  readonly checkPath: string
  /** The request header for a user's key. */
  readonly keyHeader: KeyHeader
  readonly service?: ServiceAccount
}

/** An API that authenticates only this server, by an operator's key or not at all. */
export interface OperatorUpstream {
  readonly kind: 'operator'
  readonly name: string
  readonly api: ApiConfig
}

/** How this server calls the API for a caller without a person. */
export type ServiceAccount =
  /** The key is a secret; without one, only the operator's common key is sent. */
  | { readonly kind: 'api_key' }
  | {
      readonly kind: 'client_credentials'
      readonly scopes: readonly string[]
      /** Absent for the client of the sign-in. */
      readonly clientId?: string
    }

export interface KeyHeader {
  /** Lower case. */
  readonly name: string
  /** Contains `{key}` exactly once. */
  readonly template: string
}

export interface ApiConfig {
  readonly baseUrl: string
  readonly apiKeyHeader: string
  /** The value of the header, with `{key}` exactly once; absent for the key alone. */
  readonly apiKeyTemplate?: string
  readonly timeoutMs: number
}

export interface ConfiguredUpstream {
  readonly kind: 'configured'
  readonly name: string
  readonly provider: ProviderConfig
  readonly clientId: string
  /** Absent to follow the provider's metadata. */
  readonly clientAuth?: Exclude<UpstreamVariables['UPSTREAM_CLIENT_AUTH'], 'auto'>
  /** Where the provider deviates from the standards; absent if it follows them. */
  readonly dialect?: Dialect
  /** The `kid` of client assertions. */
  readonly clientKeyId?: string
  /** In PEM. */
  readonly clientCertificate?: string
  readonly scopes: readonly string[]
  /** Additional parameters of token requests; absent for none. */
  readonly tokenParameters?: Readonly<Record<string, string>>
  /** Additional parameters of the authorization request; an empty value suppresses ours. */
  readonly authorizationParameters: Readonly<Record<string, string>>
  readonly api: ApiConfig
  /** Absent if callers without a person cannot use the API. */
  readonly service?: ServiceAccount
}

/** An OpenID Connect issuer, or the endpoints of a plain OAuth 2.0 provider. */
export type ProviderConfig =
  | { readonly issuer: string }
  | {
      readonly authorizationEndpoint: string
      readonly tokenEndpoint: string
      readonly revocationEndpoint?: string
      readonly userinfoEndpoint?: string
    }
