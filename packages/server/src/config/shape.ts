/** The type of the configuration: frozen, and safe to log. */

import type { AllowRule } from './allow-rules.ts'
import type { ConfigWarning } from './faults.ts'
import type { ServerIntroduction } from './introduction.ts'
import type { RedisEndpoint, RedisMode } from './redis-url.ts'
import type { Serves } from './server-options.ts'
import type { FurtherUpstream, UpstreamConfig } from './upstream-shape.ts'
import type { Variables } from './variables.ts'

export type { AllowRule } from './allow-rules.ts'
export type { ConfigWarning } from './faults.ts'
export type * from './upstream-shape.ts'

export interface Config {
  readonly env: Variables['NODE_ENV']
  readonly isProduction: boolean
  /** Whether the encryption key is the published development key, of which the start warns. */
  readonly usesDevelopmentKey: boolean
  readonly app: {
    /** The display name. */
    readonly name: string
    /** The identifier for programs. */
    readonly identifier: string
    readonly version: string
  }
  readonly pages: PagesConfig
  /** Absent if the declaration has none. */
  readonly introduction?: ServerIntroduction
  readonly serves: Serves
  /**
   * Whether `/` lists the tools: to everyone, to browsers whose client is signed in, or to nobody.
   */
  readonly landing: { readonly showsTools: boolean | 'signed-in' }
  /** How many processes serve the port; `http` has the limits of one of them. */
  readonly workers: number
  readonly http: HttpConfig
  readonly log: {
    readonly level: Variables['LOG_LEVEL']
    readonly file?: string
    readonly auditFile?: string
    /** How the audit log names the person; absent for not at all. */
    readonly auditSubject?: 'hash' | 'subject'
  }
  readonly metrics: {
    /** 0 for any free port; absent for the main port. */
    readonly port?: number
    readonly host: string
  }
  /** Absent if tracing is off. */
  readonly traces?: TracesConfig
  readonly store: StoreConfig
  readonly session: {
    readonly ttlSeconds: number
    /** TTL of an anonymous session until its first request; at most `ttlSeconds`. */
    readonly unusedTtlSeconds: number
    /** Limit of the values that tools store in a session, together. */
    readonly dataLimitBytes: number
  }
  readonly signIn: {
    readonly ttlSeconds: number
    /** One must match; absent if anyone who can sign in upstream is accepted. */
    readonly allow?: readonly AllowRule[]
  }
  readonly auth: AuthConfig
  /** The time limit for opening all services of a team together. */
  readonly startTimeoutSeconds: number
  readonly tools: {
    readonly textFormat: Variables['TOOL_TEXT_FORMAT']
    readonly timeoutSeconds: number
    /** Limit of the content of a result. */
    readonly resultLimitBytes: number
    /** Absent for `lenient`. */
    readonly arguments?: 'strict'
    /** The folder of tools, resources and prompts, if they are not beside the server's own code. */
    readonly directory?: string
  }
  /** The first upstream, the default for tools that name none. */
  readonly upstream: UpstreamConfig
  /** Absent if there is only one upstream. */
  readonly furtherUpstreams?: readonly FurtherUpstream[]
  /** Outgoing proxies by the scheme of the request; without credentials, which are secrets. */
  readonly outgoing: {
    readonly httpProxy?: string
    readonly httpsProxy?: string
    readonly noProxy: readonly string[]
  }
  /** Warnings for the operator about who can access the server over HTTP. */
  readonly accessWarnings: readonly ConfigWarning[]
}

/** Settings of the browser pages, except the server's name. */
export interface PagesConfig {
  readonly description?: string
  /** Six hexadecimal digits, with `#` before them. */
  readonly color: string
  readonly supportUrl?: string
}

/** Limits of a node are the share of one worker if there are several. */
export interface HttpConfig {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** The origin, without a trailing slash; if absent, localhost with the port in use. */
  readonly publicUrl?: string
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly bodyLimitBytes: number
  /** The maximum number of JSON values in a body. */
  readonly bodyMaxValues: number
  /** The maximum total size of the bodies that a node holds at a time. */
  readonly maxBodyBytesInProgress: number
  /** The maximum number of sockets of all clients on one node. */
  readonly maxSockets: number
  /** The keep-alive timeout of an idle TCP connection. */
  readonly keepAliveSeconds: number
  /** How many entries of `X-Forwarded-For` are trusted, from the right. */
  readonly trustedProxies: number
  /** Whether rate limiting is on. */
  readonly rateLimit: boolean
  /** Whether rate limits apply to requests from this machine. */
  readonly countsThisMachine: boolean
  /** Rate limit of one session or MCP session, in units per minute across all nodes. */
  readonly callerRate: number
  /** Rate limit of one address for requests without a token, in units per minute. */
  readonly addressRate: number
  /** Limit of the bytes stored per minute for one address without a token. */
  readonly storedRate: number
  /** Concurrency limits of one caller on one node, as `maxCalls` and `maxConnections` are. */
  readonly maxStreams: number
  /** Maximum age of a stream opened with an access token; absent for a day. */
  readonly maxStreamSeconds?: number
  /** Concurrency limit of all callers on one node. */
  readonly maxNodeStreams: number
  readonly maxCalls: number
  readonly maxConnections: number
  /** Graceful shutdown: how long the node still serves after readiness fails, in seconds. */
  readonly stopDelaySeconds: number
  /** Whether the fast path answers plain calls without the SDK; only tests turn it off. */
  readonly fastPath: boolean
}

export interface TracesConfig {
  /** The full URL to which spans are posted. */
  readonly endpoint: string
  readonly serviceName: string
  readonly serviceVersion: string
  /** From 0 to 1. */
  readonly sampleRatio: number
}

export interface AuthConfig {
  /** Whether `/mcp` and `/sse` require an access token, as `/http` always does. */
  readonly required: boolean
  /** The scopes for clients that request none; absent for all scopes that tools require. */
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
  /** Nobody can sign in: no client registers itself, and no consent page issues a code. */
  readonly machinesOnly?: true
  /** Issuers of identity assertions (ID-JAG) that clients may exchange; absent for none. */
  readonly idJagIssuers?: readonly string[]
  /** Authorizing a client again creates a new session rather than continuing its live one. */
  readonly startsAnew?: true
  /** The longest lifetime of a personal access token; absent if people cannot make any. */
  readonly personalTokenTtl?: number
}

export interface ExternalIssuer {
  readonly kind: 'external'
  readonly url: string
  /** Absent for the addresses of this server's own resources. */
  readonly audience?: readonly string[]
  /** Accepted values of `iss`; absent for `url` alone. `{tenantid}` matches one of `tenants`. */
  readonly tokenIssuers?: readonly string[]
  readonly tenants?: readonly string[]
  /** Client ids whose tokens may lack `aud`. */
  readonly clientsWithoutAudience?: readonly string[]
  /** Absent for `scope` and `scp`. */
  readonly scopeClaims?: readonly string[]
  /** Maps the issuer's scopes to scopes of tools. */
  readonly scopeMap?: ScopeMap
  /** In seconds; absent for a day. */
  readonly tokenMaxAge?: number
  /** Absent if no token is introspected. */
  readonly introspection?: IntrospectionConfig
}

/** Scopes of tools by the issuer's scope. */
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
  /** The server, or the first of `endpoints`. */
  readonly host: string
  readonly port: number
  /** A Unix domain socket, in place of host and port. */
  readonly socketPath?: string
  /** Absent for a single server. */
  readonly mode?: Exclude<RedisMode, 'single'>
  /** Sentinels, or some nodes of the cluster; absent for a single server. */
  readonly endpoints?: readonly RedisEndpoint[]
  /** The master's name at the Sentinels, and the credentials there. */
  readonly sentinel?: {
    readonly name: string
    readonly username?: string
    readonly passwordFile?: string
  }
  readonly username?: string
  /** Absolute path of a file that each new connection reads. */
  readonly passwordFile?: string
  readonly db: number
  readonly tls: boolean
  /** The host name that certificates must have; absent for the host connected to. */
  readonly tlsName?: string
  /** The version of RESP; absent for 3, or 2 where HELLO is refused. */
  readonly protocol?: 2 | 3
  /** Absent for a name made of APP_NAME, host and process id. */
  readonly clientName?: string
  /** The prefix of every key. */
  readonly prefix: string
  readonly timeoutMs: number
  /** `refuse`: a Redis with an eviction policy makes the node not ready; absent: logs a warning. */
  readonly eviction?: 'refuse'
}
