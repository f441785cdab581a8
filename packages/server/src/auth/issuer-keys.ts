/** The signing keys of an external issuer, found by its metadata and kept while they are good. */

import { setTimeout as delay } from 'node:timers/promises'
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  type RemoteJWKSet,
} from 'jose'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createProviderFetch } from '../upstream/provider-fetch.ts'

export interface IssuerKeysOptions {
  /** Exactly as its tokens name it in `iss`. */
  readonly issuer: string
  /** Plain http to this machine, for development. */
  readonly allowInsecureHttp: boolean
}

export interface IssuerKeysDeps {
  readonly fetch: typeof globalThis.fetch
  readonly now: () => number
  readonly log: Logger
}

/**
 * The key a token names. Only the issuer's own set counts: `jku`, `jwk` and `x5u` in a header are
 * an attacker's to choose, and are not looked at.
 * @throws AppError `unavailable` when the issuer cannot be reached, errors of `jose` for no such key
 */
export type IssuerKeys = (
  header: JWSHeaderParameters,
  token: FlattenedJWSInput,
) => ReturnType<RemoteJWKSet>

const TIMEOUT_MS = 3000
const METADATA_MAX_AGE_MS = 60 * 60 * 1000
const KEYS_MAX_AGE_MS = 10 * 60 * 1000
/** Between two looks for a key that is not there: whoever makes up key ids causes no more. */
const COOL_DOWN_MS = 1000

const metadataForm = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) })

export function createIssuerKeys(options: IssuerKeysOptions, deps: IssuerKeysDeps): IssuerKeys {
  const { now, log } = deps
  let known:
    | { readonly address: string; readonly keys: RemoteJWKSet; readonly at: number }
    | undefined
  let finding: Promise<RemoteJWKSet> | undefined

  const boundedFetch = (address: string, headers: Headers, signal: AbortSignal) =>
    createProviderFetch({ ...options, fetch: deps.fetch, signal })(address, {
      method: 'GET',
      headers: Object.fromEntries(headers),
      body: undefined,
      redirect: 'manual',
    })

  async function readMetadata(): Promise<string> {
    for (const address of metadataAddresses(options.issuer)) {
      const headers = new Headers({ accept: 'application/json' })
      const response = await boundedFetch(address, headers, AbortSignal.timeout(TIMEOUT_MS))
      const text = await response.text()
      const found =
        response.status === 200 ? metadataForm.safeParse(parseJson(text)).data : undefined
      // RFC 8414, 3.3: metadata that names another issuer must not be used.
      if (found?.issuer === options.issuer) return found.jwks_uri
    }
    throw new TypeError(`There is no metadata of the issuer ${options.issuer}`)
  }

  async function find(): Promise<RemoteJWKSet> {
    const address = await readMetadata().catch((error: unknown) => {
      if (known === undefined) throw error
      log.warn({ err: error }, 'metadata of the issuer not read again')
      return known.address
    })
    const keys = known?.address === address ? known.keys : keySet(address)
    known = { address, keys, at: now() }
    return keys
  }

  function keySet(address: string): RemoteJWKSet {
    return createRemoteJWKSet(new URL(address), {
      timeoutDuration: TIMEOUT_MS,
      cacheMaxAge: KEYS_MAX_AGE_MS,
      cooldownDuration: COOL_DOWN_MS,
      [customFetch]: (url, { headers, signal }) => boundedFetch(url, headers, signal),
    })
  }

  async function current(): Promise<RemoteJWKSet> {
    if (known !== undefined && now() - known.at < METADATA_MAX_AGE_MS) return known.keys
    finding ??= find().finally(() => {
      finding = undefined
    })
    return finding
  }

  return async (header, token) => {
    try {
      const keys = await current()
      try {
        return await keys(header, token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey && keys.coolingDown)) throw error
        // It may have been made since: a good token must not be refused, so that this one waits.
        await delay(COOL_DOWN_MS)
        return await keys(header, token)
      }
    } catch (error) {
      if (isAboutToken(error)) throw error
      log.warn({ err: error }, 'keys of the issuer not read')
      const message = 'The authorization server does not answer. Try again shortly.'
      throw new AppError('unavailable', message, { cause: error, retryAfterSeconds: 2 })
    }
  }
}

/** RFC 8414, 3.1 and 5, then OpenID Connect Discovery 1.0, 4: the order of the MCP specification. */
function metadataAddresses(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const addresses = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
  return [...new Set(addresses)]
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
