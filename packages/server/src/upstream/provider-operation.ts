/**
 * Wraps every operation at the identity provider: one timeout, one error type, and its endpoints by
 * discovery, retried until it succeeds, or by configuration.
 */

import {
  allowInsecureRequests,
  Configuration,
  type CustomFetch,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
} from 'openid-client'
import { clientAuthentication } from './client-authentication.ts'
import { toProviderError } from './provider-failure.ts'
import { createProviderFetch, differsBySlash, type Fetch } from './provider-fetch.ts'
import type { EndpointOptions, IssuerOptions, OpenIdProviderOptions } from './provider-options.ts'
import { startDeadline } from './request-deadline.ts'
import { normalizeTokenAnswers } from './token-answer.ts'

export interface OpenIdProviderDeps {
  readonly fetch: Fetch
  /** Unix time in milliseconds. */
  now(): number
}

interface OperationOptions {
  /** Also verify the ID token's signature. */
  readonly verifySignature?: boolean
  /** Overrides the provider's timeout, in milliseconds. */
  readonly timeoutMs?: number
}

/** Runs an operation; rejects with ProviderError, also on timeout. */
export type Operate = <T>(
  use: (configuration: Configuration) => Promise<T>,
  options?: OperationOptions,
) => Promise<T>

/** Creates the runner; the timeout covers all requests of an operation, including discovery. */
export function createOperation(options: OpenIdProviderOptions, deps: OpenIdProviderDeps): Operate {
  const { allowInsecureHttp = false } = options
  const configure =
    'issuer' in options ? createDiscovery(options, deps.now) : createEndpoints(options)

  return async (use, { verifySignature = false, timeoutMs } = {}) => {
    const deadline = startDeadline(timeoutMs ?? options.timeoutMs ?? 5000, deps.now)
    const { signal } = deadline
    let endpoint: string | undefined
    const recording: Fetch = (address, init) => {
      const { origin, pathname } = new URL(String(address))
      endpoint = origin + pathname
      return deps.fetch(address, init)
    }
    const guarded = createProviderFetch({ fetch: recording, allowInsecureHttp, signal })
    const fetch = normalizeTokenAnswers(guarded, deps.now, options.dialect)
    try {
      return await deadline.race(configure({ fetch, verifySignature }).then(use))
    } catch (error) {
      throw toProviderError(error, endpoint)
    } finally {
      deadline.stop()
    }
  }
}

const WELL_KNOWN = '/.well-known/openid-configuration'
const METADATA_MAX_AGE_MS = 60 * 60 * 1000

interface ConfigureOptions {
  readonly fetch: CustomFetch
  /** Also verify the ID token's signature, with freshly fetched keys. */
  readonly verifySignature?: boolean
}

/** Returns the configuration of one operation; its requests are aborted with its `fetch`. */
type Configure = (options: ConfigureOptions) => Promise<Configuration>

/**
 * Metadata by discovery: fetched on first use and cached for an hour; failures are not cached.
 * Tolerates an issuer that differs by one trailing slash.
 */
function createDiscovery(
  options: OpenIdProviderOptions & IssuerOptions,
  now: () => number,
): Configure {
  let known: { readonly text: string; readonly at: number } | undefined
  let { issuer } = options
  const auth = clientAuthentication(options)
  // RFC 8705, 5: the endpoints for mutual TLS.
  const client = { use_mtls_endpoint_aliases: options.clientAuth === 'tls' }

  return async ({ fetch, verifySignature }) => {
    let fetched: string | undefined
    const remembering: CustomFetch = async (url, init) => {
      if (!url.endsWith(WELL_KNOWN)) return fetch(url, init)
      if (known && now() - known.at < METADATA_MAX_AGE_MS) return jsonResponse(known.text)
      const response = await fetch(url, init)
      fetched = response.ok ? await response.clone().text() : undefined
      return response
    }
    const execute = [
      ...(options.allowInsecureHttp ? [allowInsecureRequests] : []),
      // A new configuration has no cached keys, so a key rotation takes effect at once.
      ...(verifySignature ? [enableNonRepudiationChecks] : []),
    ]
    const discover = () =>
      discovery(new URL(issuer), options.clientId, client, auth, {
        [customFetch]: remembering,
        execute,
      })
    const configuration = await discover().catch((error: unknown) => {
      const spelled = spelledIssuer(error)
      if (spelled === undefined || !differsBySlash(spelled, issuer)) throw error
      issuer = spelled
      return discover()
    })
    const { authorization_endpoint, token_endpoint } = configuration.serverMetadata()
    if (!authorization_endpoint || !token_endpoint) {
      throw new TypeError('The metadata of the identity provider names no endpoints')
    }
    if (fetched !== undefined) known = { text: fetched, at: now() }
    return configuration
  }
}

/** The issuer in the metadata, if it differs from the requested one. */
function spelledIssuer(error: unknown): string | undefined {
  const { attribute, body } = ((error as Error).cause ?? {}) as Record<string, unknown>
  const issuer = attribute === 'issuer' && (body as { issuer?: unknown } | undefined)?.issuer
  return typeof issuer === 'string' ? issuer : undefined
}

/** Metadata by configuration. */
function createEndpoints(options: OpenIdProviderOptions & EndpointOptions): Configure {
  const metadata = {
    // Required by the type; never compared, since there is no ID token.
    issuer: new URL(options.tokenEndpoint).origin,
    authorization_endpoint: options.authorizationEndpoint,
    token_endpoint: options.tokenEndpoint,
    ...(options.revocationEndpoint && { revocation_endpoint: options.revocationEndpoint }),
    ...(options.userinfoEndpoint && { userinfo_endpoint: options.userinfoEndpoint }),
  }
  // The issuer above is a placeholder, so the token endpoint is the audience.
  const auth = clientAuthentication(options, options.tokenEndpoint)
  return async ({ fetch }) => {
    const configuration = new Configuration(metadata, options.clientId, undefined, auth)
    if (options.allowInsecureHttp) allowInsecureRequests(configuration)
    configuration[customFetch] = async (url, init) =>
      url === options.tokenEndpoint ? withoutIdToken(await fetch(url, init)) : fetch(url, init)
    return configuration
  }
}

/** Drops an ID token: it cannot be verified without a configured issuer. */
async function withoutIdToken(response: Response): Promise<Response> {
  const text = await response.text()
  try {
    const { id_token: _, ...rest } = JSON.parse(text)
    return new Response(JSON.stringify(rest), response)
  } catch {
    return new Response(text, response)
  }
}

function jsonResponse(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } })
}
