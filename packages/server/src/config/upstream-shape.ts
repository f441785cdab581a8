/** The part of the configuration that is about upstreams: where people sign in, and the APIs. */

import type { AllowRule } from './allow-rules.ts'
import type { Dialect } from './presets.ts'
import type { UpstreamVariables } from './upstream-variables.ts'

export type UpstreamConfig = { readonly kind: 'demo' } | NamedUpstream

/** An upstream of its own name: how people are known there decides the kind. */
export type NamedUpstream = ConfiguredUpstream | KeyUpstream | OperatorUpstream

export type FurtherUpstream = NamedUpstream & {
  /** One of them must match; absent for everybody who can sign in there. */
  readonly allow?: readonly AllowRule[]
}

/** An API for which each person pastes a key. */
export interface KeyUpstream {
  readonly kind: 'key'
  readonly name: string
  readonly api: ApiConfig
  /** The path that tells whether a key is good. */
  readonly checkPath: string
  /** The header that a person's key is sent in. */
  readonly keyHeader: KeyHeader
}

/** An API that knows this server alone, by a key of the operator or by none. */
export interface OperatorUpstream {
  readonly kind: 'operator'
  readonly name: string
  readonly api: ApiConfig
}

export interface KeyHeader {
  /** Lower case. */
  readonly name: string
  /** With `{key}` once in it. */
  readonly template: string
}

export interface ApiConfig {
  readonly baseUrl: string
  readonly apiKeyHeader: string
  /** What the header holds, with `{key}` once in it; absent for the key alone. */
  readonly apiKeyTemplate?: string
  readonly timeoutMs: number
}

export interface ConfiguredUpstream {
  readonly kind: 'configured'
  readonly name: string
  readonly provider: ProviderConfig
  readonly clientId: string
  /** Absent for what the provider's metadata says. */
  readonly clientAuth?: Exclude<UpstreamVariables['UPSTREAM_CLIENT_AUTH'], 'auto'>
  /** Where the provider goes its own way; absent where it follows the standards. */
  readonly dialect?: Dialect
  /** The `kid` of client assertions. */
  readonly clientKeyId?: string
  /** In PEM. */
  readonly clientCertificate?: string
  readonly scopes: readonly string[]
  /** Sent along with codes and refresh tokens; absent for none. */
  readonly tokenParameters?: Readonly<Record<string, string>>
  /** Sent along to the page people sign in at; an empty one keeps ours from being sent. */
  readonly authorizationParameters: Readonly<Record<string, string>>
  readonly api: ApiConfig
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
