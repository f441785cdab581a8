/** The secrets of a configuration, apart from it: they show themselves to nobody who prints them. */

import { inspect } from 'node:util'
import type { ClientKey } from './client-key.ts'

/** Of one upstream. */
export interface UpstreamSecrets {
  readonly clientSecret: string | undefined
  readonly clientKey: ClientKey | undefined
  /** Sent with every call to the API. */
  readonly apiKey: string | undefined
}

export interface SecretValues {
  /** 32 bytes each; the first encrypts, all decrypt. */
  readonly encryptionKeys: readonly Buffer[]
  /** Signs access tokens with HS256; 32 characters at least. */
  readonly jwtSecret: string
  /** Pre-registered clients, secrets and all. */
  readonly oauthClients: readonly Readonly<Record<string, unknown>>[]
  readonly redisPassword?: string | undefined
  readonly upstreamClientSecret?: string | undefined
  readonly upstreamClientKey?: ClientKey | undefined
  readonly upstreamApiKey?: string | undefined
  /** By the names of upstreams after the first. */
  readonly furtherUpstreams?: ReadonlyMap<string, UpstreamSecrets>
  /** Addresses of outgoing proxies, with their credentials. */
  readonly httpProxy?: string | undefined
  readonly httpsProxy?: string | undefined
  readonly introspectionClientSecret?: string | undefined
  readonly metricsToken?: string | undefined
  /** For the collector of traces. */
  readonly otlpHeaders?: Readonly<Record<string, string>>
}

const HIDDEN = '[secrets]'

/**
 * Holds secrets in private fields: logging, inspecting, spreading or serialising the object gives
 * none of them away. Each is read by its name.
 */
export class Secrets implements SecretValues {
  readonly #values: SecretValues

  constructor(values: SecretValues) {
    this.#values = Object.freeze({ ...values })
    Object.freeze(this)
  }

  get encryptionKeys(): readonly Buffer[] {
    return this.#values.encryptionKeys
  }

  get jwtSecret(): string {
    return this.#values.jwtSecret
  }

  get oauthClients(): readonly Readonly<Record<string, unknown>>[] {
    return this.#values.oauthClients
  }

  get redisPassword(): string | undefined {
    return this.#values.redisPassword
  }

  get upstreamClientSecret(): string | undefined {
    return this.#values.upstreamClientSecret
  }

  get upstreamClientKey(): ClientKey | undefined {
    return this.#values.upstreamClientKey
  }

  get upstreamApiKey(): string | undefined {
    return this.#values.upstreamApiKey
  }

  get furtherUpstreams(): ReadonlyMap<string, UpstreamSecrets> {
    return this.#values.furtherUpstreams ?? new Map()
  }

  get httpProxy(): string | undefined {
    return this.#values.httpProxy
  }

  get httpsProxy(): string | undefined {
    return this.#values.httpsProxy
  }

  get introspectionClientSecret(): string | undefined {
    return this.#values.introspectionClientSecret
  }

  get metricsToken(): string | undefined {
    return this.#values.metricsToken
  }

  get otlpHeaders(): Readonly<Record<string, string>> {
    return this.#values.otlpHeaders ?? {}
  }

  toJSON(): string {
    return HIDDEN
  }

  toString(): string {
    return HIDDEN
  }

  [inspect.custom](): string {
    return HIDDEN
  }
}
