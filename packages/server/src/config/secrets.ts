/** The secrets of a configuration, kept apart from it so that logging never prints them. */

import { inspect } from 'node:util'
import type { ClientKey } from './client-key.ts'

/** The secrets of one upstream. */
export interface UpstreamSecrets {
  readonly clientSecret: string | undefined
  readonly clientKey: ClientKey | undefined
  /** The API key, sent with every call to the API. */
  readonly apiKey: string | undefined
  /** The service account's key, in the place of a person's token. */
  readonly serviceKey?: string | undefined
  readonly serviceClientSecret?: string | undefined
}

export interface SecretValues {
  /** 32 bytes each; the first encrypts, all decrypt (key rotation). */
  readonly encryptionKeys: readonly Buffer[]
  /** Signs access tokens with HS256; at least 32 characters. */
  readonly jwtSecret: string
  /** Pre-registered clients, including their secrets. */
  readonly oauthClients: readonly Readonly<Record<string, unknown>>[]
  readonly redisPassword?: string | undefined
  readonly upstreamClientSecret?: string | undefined
  readonly upstreamClientKey?: ClientKey | undefined
  readonly upstreamApiKey?: string | undefined
  readonly upstreamServiceKey?: string | undefined
  readonly upstreamServiceClientSecret?: string | undefined
  /** The secrets of the additional upstreams, by name. */
  readonly furtherUpstreams?: ReadonlyMap<string, UpstreamSecrets>
  /** URLs of outgoing proxies, including credentials. */
  readonly httpProxy?: string | undefined
  readonly httpsProxy?: string | undefined
  readonly introspectionClientSecret?: string | undefined
  readonly metricsToken?: string | undefined
  /** The headers for the trace collector, such as its credentials. */
  readonly otlpHeaders?: Readonly<Record<string, string>>
}

const HIDDEN = '[secrets]'

/**
 * Holds secrets in private fields: logging, inspecting, spreading or serialising the object reveals
 * none of them.
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

  get upstreamServiceKey(): string | undefined {
    return this.#values.upstreamServiceKey
  }

  get upstreamServiceClientSecret(): string | undefined {
    return this.#values.upstreamServiceClientSecret
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
