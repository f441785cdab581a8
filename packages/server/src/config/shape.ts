/** The configuration as the rest of the code sees it: frozen, and safe to log. */

import type { AllowRule } from './allow-rules.ts'
import type { ConfigWarning } from './faults.ts'
import type { ServerIntroduction } from './introduction.ts'
import type { Serves } from './server-options.ts'
import type { FurtherUpstream, UpstreamConfig } from './upstream-shape.ts'
import type { Variables } from './variables.ts'

export type { AllowRule } from './allow-rules.ts'
export type { ConfigWarning } from './faults.ts'
export type * from './upstream-shape.ts'

export interface Config {
  readonly env: Variables['NODE_ENV']
  readonly isProduction: boolean
  /** The key that encrypts is the published one for development: start-up warns of it. */
  readonly usesDevelopmentKey: boolean
  readonly app: {
    /** What people read. */
    readonly name: string
    /** What programs know it by. */
    readonly identifier: string
    readonly version: string
  }
  readonly pages: PagesConfig
  /** Absent where the declaration says nothing of it. */
  readonly introduction?: ServerIntroduction
  readonly serves: Serves
  /** Whether `/` lists the tools: to everybody, to browsers whose client is signed in, or to nobody. */
  readonly landing: { readonly showsTools: boolean | 'signed-in' }
  readonly http: HttpConfig
  readonly log: {
    readonly level: Variables['LOG_LEVEL']
    readonly file?: string
    readonly auditFile?: string
  }
  readonly metrics: {
    /** 0 for any free port; absent for no port of its own. */
    readonly port?: number
    readonly host: string
  }
  /** Absent where no traces are wanted. */
  readonly traces?: TracesConfig
  readonly store: StoreConfig
  readonly session: {
    readonly ttlSeconds: number
    /** Of an anonymous connection until its first request; no longer than `ttlSeconds`. */
    readonly unusedTtlSeconds: number
  }
  readonly signIn: {
    readonly ttlSeconds: number
    /** One of them must match; absent for everybody who can sign in upstream. */
    readonly allow?: readonly AllowRule[]
  }
  readonly auth: AuthConfig
  /** How long the services of a team may take to open, all together. */
  readonly startTimeoutSeconds: number
  readonly tools: {
    readonly textFormat: Variables['TOOL_TEXT_FORMAT']
    readonly timeoutSeconds: number
    /** Absent for `lenient`. */
    readonly arguments?: 'strict'
    /** Where tools, resources and prompts are, if not beside the server's own code. */
    readonly directory?: string
  }
  /** The first upstream, which tools have without naming it. */
  readonly upstream: UpstreamConfig
  /** Absent where there is one alone. */
  readonly furtherUpstreams?: readonly FurtherUpstream[]
  /** By the scheme of what is asked for; without the credentials, which are secrets. */
  readonly outgoing: {
    readonly httpProxy?: string
    readonly httpsProxy?: string
    readonly noProxy: readonly string[]
  }
  /** What an operator should know about who is let in over HTTP. */
  readonly accessWarnings: readonly ConfigWarning[]
}

/** What people see in a browser, besides the server's name. */
export interface PagesConfig {
  readonly description?: string
  /** Six hexadecimal digits, with `#` before them. */
  readonly color: string
  readonly supportUrl?: string
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
  /** Values of the JSON in a body. */
  readonly bodyMaxValues: number
  /** Of all bodies that a node holds. */
  readonly maxBodyBytesInProgress: number
  /** Of all clients, on one node. */
  readonly maxSockets: number
  /** How long a connection without a request is kept. */
  readonly keepAliveSeconds: number
  /** How many entries of `X-Forwarded-For` are believed, from the right. */
  readonly trustedProxies: number
  /** Whether requests are counted. */
  readonly rateLimit: boolean
  /** Whether requests of this machine count like those of others. */
  readonly countsThisMachine: boolean
  /** Units a minute of one session or connection, on all nodes together. */
  readonly callerRate: number
  /** Units a minute of all that come from one address without a token. */
  readonly addressRate: number
  /** Bytes a minute that all of them may have stored. */
  readonly storedRate: number
  /** Of one caller on one node, as calls and connections. */
  readonly maxStreams: number
  /** Of all callers on one node. */
  readonly maxNodeStreams: number
  readonly maxCalls: number
  readonly maxConnections: number
  /** How long it goes on serving after it said that it is not ready, in seconds. */
  readonly stopDelaySeconds: number
  /** Whether plain calls are answered without the SDK; tests alone turn it off. */
  readonly fastPath: boolean
}

export interface TracesConfig {
  /** Where spans are posted, with the path. */
  readonly endpoint: string
  readonly serviceName: string
  readonly serviceVersion: string
  /** From 0 to 1. */
  readonly sampleRatio: number
}

export interface AuthConfig {
  /** Whether `/mcp` and `/sse` want an access token, as `/http` always does. */
  readonly required: boolean
  /** The scopes of clients that ask for none; absent for all that tools want. */
  readonly defaultScopes?: readonly string[]
  readonly issuer: BuiltInIssuer | ExternalIssuer
}

/** The authorization server that is part of this server. Times to live are in seconds. */
export interface BuiltInIssuer {
  readonly kind: 'built-in'
  readonly algorithm: Variables['JWT_ALG']
  readonly login: NonNullable<Variables['LOGIN']>
  readonly codeTtl: number
  readonly accessTokenTtl: number
  readonly refreshTokenTtl: number
  readonly refreshGrace: number
  /** Without the colon, such as `cursor`. */
  readonly redirectSchemes: readonly string[]
  /** Authorizing a client again makes a new session, rather than continuing its live one. */
  readonly startsAnew?: true
}

export interface ExternalIssuer {
  readonly kind: 'external'
  readonly url: string
  /** Absent for the addresses of this server's own resources. */
  readonly audience?: readonly string[]
  /** What tokens may name as `iss`; absent for `url` alone. `{tenantid}` is one of `tenants`. */
  readonly tokenIssuers?: readonly string[]
  readonly tenants?: readonly string[]
  /** Client ids whose tokens may lack `aud`. */
  readonly clientsWithoutAudience?: readonly string[]
  /** Absent for `scope` and `scp`. */
  readonly scopeClaims?: readonly string[]
  /** From what the issuer grants to scopes of tools. */
  readonly scopeMap?: ScopeMap
  /** In seconds; absent for a day. */
  readonly tokenMaxAge?: number
  /** Absent where the issuer is asked about no token. */
  readonly introspection?: IntrospectionConfig
}

/** Scopes of tools by the name that the issuer has for them. */
export type ScopeMap = Readonly<Record<string, readonly string[]>>

export interface IntrospectionConfig {
  readonly mode: 'opaque' | 'always'
  /** Absent for what the issuer's metadata says. */
  readonly endpoint?: string
  readonly clientId: string
  readonly auth: NonNullable<Variables['OAUTH_INTROSPECTION_AUTH']>
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
  /** A Redis that may delete keys makes the node not ready; without it, it is warned of. */
  readonly eviction?: 'refuse'
}
