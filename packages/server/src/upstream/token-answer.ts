/** Normalizes token responses: maps providers' deviations to the form of RFC 6749, section 5. */

import type { CustomFetch } from 'openid-client'
import type { Dialect } from '../config.ts'
import {
  isClientRefused,
  isPassing,
  isSignInEnded,
  plainCode,
  providerError,
} from './provider-failure.ts'
import { parseRetryAfter } from './retry.ts'
import { JWT_BEARER, TOKEN_EXCHANGE } from './token-exchange.ts'

type Fields = Readonly<Record<string, unknown>>

/** Transient statuses below 500: timeout, too early, too many requests. */
const PASSING_STATUS = new Set([408, 425, 429])

/** Wraps `fetch` so that responses to token requests have the standard's form. */
export function normalizeTokenAnswers(
  fetch: CustomFetch,
  now: () => number,
  { deadRefreshCodes = [] }: Dialect = {},
): CustomFetch {
  return async (address, init) => {
    const response = await fetch(address, init)
    const { body } = init
    const grant = body instanceof URLSearchParams ? body.get('grant_type') : null
    if (grant === null) return response
    const isRefresh = grant === 'refresh_token'
    const isExchange = grant === TOKEN_EXCHANGE || grant === JWT_BEARER
    const dead = isRefresh ? deadRefreshCodes : []
    return normalized(response, { isRefresh, isExchange, dead }, now())
  }
}

interface Grant {
  readonly isRefresh: boolean
  readonly isExchange: boolean
  /** Codes that mean that the refresh token is revoked. */
  readonly dead: readonly string[]
}

/** Refusals of a token exchange that no sign-in corrects (RFC 8693, 2.2.2; RFC 6749, 5.2). */
const EXCHANGE_MISCONFIGURED = new Set([
  ...['invalid_target', 'invalid_scope', 'unsupported_grant_type', 'invalid_resource'],
])

/**
 * The response in the standard's form.
 * @throws ProviderError for an error response that the library would misinterpret
 */
async function normalized(
  response: Response,
  { isRefresh, isExchange, dead }: Grant,
  now: number,
): Promise<Response> {
  const { status, headers } = response
  const text = await response.text()
  const fields = fieldsOf(text, headers.get('content-type') ?? '')
  const refusal = refusalIn(fields)
  const reason = refusal ?? String(status)
  if (status >= 500 || PASSING_STATUS.has(status) || isPassing(reason, status)) {
    const retryAfterSeconds = parseRetryAfter(headers.get('retry-after') ?? undefined, now)
    throw providerError('provider_unavailable', reason, { retryAfterSeconds })
  }
  if (dead.includes(reason)) throw providerError('invalid_grant', reason)
  if (isClientRefused(reason) || (refusal === undefined && isClientChallenge(response))) {
    throw providerError('invalid_client', reason)
  }
  // RFC 6749, 5.2 has one code for an invalid refresh token; providers have dozens, or none.
  const needsPerson = isRefresh || (isExchange && !EXCHANGE_MISCONFIGURED.has(reason))
  const isRefused =
    status >= 400 ? needsPerson || refusal === undefined : status < 300 && refusal !== undefined
  if (isRefused) {
    throw providerError('invalid_grant', reason, {
      isUncertain: isExchange || (isRefresh && !isSignInEnded(reason)),
    })
  }
  if (status < 200 || status >= 300 || fields === undefined) {
    return new Response(text === '' ? null : text, { status, headers })
  }
  return Response.json(tokensIn(fields))
}

/** Parses a JSON or form body; undefined for any other. */
function fieldsOf(text: string, type: string): Fields | undefined {
  if (type.startsWith('application/x-www-form-urlencoded')) return formFields(text)
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : undefined
  } catch {
    // Some providers send a form with a text content type.
    return /^(access_token|error)=|^[\w.-]+=[^<\s]*&(access_token|error)=/.test(text)
      ? formFields(text)
      : undefined
  }
}

function formFields(text: string): Fields {
  return Object.fromEntries(new URLSearchParams(text))
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The error code, whatever the status: GitHub and Slack return errors with status 200. */
function refusalIn(fields: Fields | undefined): string | undefined {
  const { error, ok } = fields ?? {}
  if (typeof error === 'string' && error !== '') return plainCode(error)
  return ok === false || error ? 'error' : undefined
}

/** RFC 6749, 5.2: the response to failed client authentication by the Authorization header. */
function isClientChallenge({ status, headers }: Response): boolean {
  return status === 401 && /^basic\b/i.test(headers.get('www-authenticate') ?? '')
}

/** Fields that must be strings; providers also send null, `""` or false. */
const TEXTS = ['access_token', 'token_type', 'refresh_token', 'id_token', 'issued_token_type']

/** @throws ProviderError when there is no access token */
function tokensIn(answer: Fields): Fields {
  const fields = isText(answer.access_token) ? answer : { ...answer, ...nestedTokens(answer) }
  const { scope } = fields
  const texts = Object.fromEntries(
    TEXTS.map((name) => [name, fields[name]]).filter(([, value]) => isText(value)),
  )
  if (texts.access_token === undefined) {
    throw providerError('provider_unavailable', 'no access token', { isUnusable: true })
  }
  const lifetime = Number(fields.expires_in ?? fields.expires)
  return {
    ...texts,
    token_type: bearerType(texts.token_type),
    // RFC 6749, 5.1: `expires_in` is recommended; an invalid one is dropped.
    ...(lifetime > 0 && Number.isFinite(lifetime) && { expires_in: lifetime }),
    ...(Array.isArray(scope) && { scope: scope.join(' ') }),
    ...(isText(scope) && { scope }),
  }
}

/** Tokens one level down: Slack nests user tokens in `authed_user`, other providers use `data`. */
function nestedTokens(answer: Fields): Fields | undefined {
  const found = Object.values(answer).filter(
    (each): each is Fields => isFields(each) && isText(each.access_token),
  )
  return found.length === 1 ? found[0] : undefined
}

/**
 * Slack's `token_type` is `user` or `bot`; both are bearer tokens (RFC 6750). Others, such as DPoP,
 * need a proof with each request; `N_A` is not for requests at all (RFC 8693, 2.2.1).
 * @throws ProviderError for another type
 */
function bearerType(given: unknown): string {
  const type = isText(given) ? given.trim().toLowerCase() : ''
  if (['', 'bearer', 'user', 'bot'].includes(type)) return 'bearer'
  throw providerError('invalid_response', 'not a bearer token', { field: 'token_type' })
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
