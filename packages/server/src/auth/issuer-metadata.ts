/** The metadata of an external issuer (RFC 8414), cached for an hour, with stale-if-error. */

import { z } from 'zod'
import type { ConfigWarning } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createProviderFetch, differsBySlash } from '../upstream/provider-fetch.ts'

interface IssuerMetadataOptions {
  readonly issuer: string
  /** Further accepted values of `issuer`; with `{tenantid}` for an issuer with several tenants. */
  readonly tokenIssuers?: readonly string[]
  /** The variable that names the issuer, for the log; OAUTH_ISSUER by default. */
  readonly variable?: string
  /** Permits plain http to loopback addresses, for development. */
  readonly allowInsecureHttp: boolean
}

interface IssuerMetadataDeps {
  readonly fetch: typeof globalThis.fetch
  readonly now: () => number
  readonly log: Logger
}

const metadataForm = z.object({
  issuer: z.string(),
  jwks_uri: z.url({ protocol: /^https?$/ }).optional(),
  scopes_supported: z.array(z.string()).optional().catch(undefined),
  introspection_endpoint: z.url({ protocol: /^https?$/ }).optional(),
})

type IssuerMetadata = z.output<typeof metadataForm>

/** @throws TypeError when there is no metadata, OtherIssuer on a mismatch, and errors of `fetch` */
export type ReadIssuerMetadata = () => Promise<IssuerMetadata>

/** RFC 8414, 3.3 and 6.2: metadata with another issuer must not be used (impersonation). */
class OtherIssuer extends Error {}

const WRONG_ISSUER: ConfigWarning = {
  code: 'oauth_issuer_differs',
  message: 'OAUTH_ISSUER is not what its metadata names as the issuer: no token is accepted',
}

const TIMEOUT_MS = 3000
const MAX_AGE_MS = 60 * 60 * 1000
const LOG_EVERY_MS = 60_000

export function createIssuerMetadata(
  options: IssuerMetadataOptions,
  { fetch, now, log }: IssuerMetadataDeps,
) {
  const { variable: check = 'OAUTH_ISSUER' } = options
  const mismatch = createMismatch({ log, now }, check)
  let known: { readonly metadata: IssuerMetadata; readonly at: number } | undefined
  let reading: Promise<IssuerMetadata> | undefined

  async function read(): Promise<IssuerMetadata> {
    mismatch.reset()
    const found = await fetchMetadata(options, fetch).catch((error: unknown) => {
      if (error instanceof OtherIssuer) mismatch.note(error)
      if (known === undefined) throw error
      log.warn({ err: error }, 'issuer metadata not refreshed')
      return known.metadata
    })
    if (known === undefined && found.issuer !== options.issuer) {
      const facts = { issuer: options.issuer, named: found.issuer, check }
      log.warn(facts, 'issuer and its metadata differ by a slash')
    }
    known = { metadata: found, at: now() }
    return found
  }

  const current: ReadIssuerMetadata = async () => {
    if (known !== undefined && now() - known.at < MAX_AGE_MS) return known.metadata
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }

  return {
    read: current,
    /** Reads the metadata and logs a failure; never rejects. */
    async check(): Promise<void> {
      await current().catch((error: unknown) => {
        if (!mismatch.isFound()) log.warn({ err: error }, 'issuer metadata not read')
      })
    },
    /** Configuration errors that only the operator can correct. */
    warnings: (): readonly ConfigWarning[] => (mismatch.isFound() ? [WRONG_ISSUER] : []),
  }
}

/** Whether the latest read found another issuer, which is logged at most once a minute. */
function createMismatch({ log, now }: Pick<IssuerMetadataDeps, 'log' | 'now'>, check: string) {
  let isFound = false
  let loggedAt = Number.NEGATIVE_INFINITY
  return {
    isFound: () => isFound,
    reset(): void {
      isFound = false
    },
    note(error: OtherIssuer): void {
      isFound = true
      if (now() - loggedAt < LOG_EVERY_MS) return
      loggedAt = now()
      log.error({ err: error, check }, 'issuer metadata names another issuer')
    },
  }
}

async function fetchMetadata(
  options: IssuerMetadataOptions,
  fetch: typeof globalThis.fetch,
): Promise<IssuerMetadata> {
  const { allowInsecureHttp } = options
  let named: string | undefined
  for (const address of metadataAddresses(options.issuer)) {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await createProviderFetch({ fetch, allowInsecureHttp, signal })(address, {
      method: 'GET',
      headers: { accept: 'application/json' },
      body: undefined,
      redirect: 'manual',
    })
    const text = await response.text()
    const found = response.status === 200 ? metadataForm.safeParse(parseJson(text)).data : undefined
    if (found !== undefined && isOf(options, found.issuer)) return found
    named ??= found?.issuer
  }
  const where = `The metadata of the issuer ${options.issuer}`
  if (named !== undefined) throw new OtherIssuer(`${where} names another one: ${named}`)
  throw new TypeError(`${where} does not exist`)
}

function isOf({ issuer, tokenIssuers = [] }: IssuerMetadataOptions, named: string): boolean {
  if (named === issuer || differsBySlash(named, issuer)) return true
  return named.includes('{tenantid}') && tokenIssuers.includes(named)
}

/** RFC 8414, 3.1 and 5, then OpenID Connect Discovery 1.0, 4, in the MCP specification's order. */
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Status 503, since clients discard their token on a 401. */
export function issuerUnavailable(cause: unknown): AppError {
  const message = 'The authorization server does not answer. Try again shortly.'
  return new AppError('unavailable', message, { cause, retryAfterSeconds: 2 })
}
