/** The configuration as the rest of the code sees it: frozen, and safe to log. */

import type { Variables } from './variables.ts'

export interface Config {
  readonly env: Variables['NODE_ENV']
  readonly isProduction: boolean
  /** The key that encrypts is the published one for development: start-up warns of it. */
  readonly usesDevelopmentKey: boolean
  readonly app: { readonly name: string; readonly version: string }
  readonly http: HttpConfig
  readonly log: { readonly level: Variables['LOG_LEVEL']; readonly file?: string }
  readonly store: StoreConfig
  readonly session: { readonly ttlSeconds: number }
  readonly signIn: { readonly ttlSeconds: number }
  readonly tools: {
    readonly textFormat: Variables['TOOL_TEXT_FORMAT']
    readonly timeoutSeconds: number
    /** Where tools, resources and prompts are, if not beside the server's own code. */
    readonly directory?: string
  }
  readonly upstream: UpstreamConfig
}

export interface HttpConfig {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** An origin, without a slash at the end; when absent, localhost with the port that was taken. */
  readonly publicUrl?: string
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly bodyLimitBytes: number
  /** Proxies in front of the server that say where a request came from. */
  readonly trustedProxies: number
  /** Of one caller on one node, as calls and connections. */
  readonly maxStreams: number
  /** Of all callers on one node. */
  readonly maxNodeStreams: number
  readonly maxCalls: number
  readonly maxConnections: number
  /** How long it goes on serving after it said that it is not ready, in seconds. */
  readonly stopDelaySeconds: number
}

export type StoreConfig = { readonly kind: 'memory' } | RedisConfig

export interface RedisConfig {
  readonly kind: 'redis'
  /** REDIS_URL without its password; absent when the server was named by its parts. */
  readonly url?: string
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly db: number
  readonly tls: boolean
  /** What every key starts with. */
  readonly prefix: string
  readonly timeoutMs: number
}

export type UpstreamConfig = { readonly kind: 'demo' } | ConfiguredUpstream

export interface ConfiguredUpstream {
  readonly kind: 'configured'
  readonly name: string
  readonly provider: ProviderConfig
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly api: {
    readonly baseUrl: string
    readonly apiKeyHeader: string
    readonly timeoutMs: number
  }
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
