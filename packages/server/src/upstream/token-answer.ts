/** Answers of token endpoints: providers' own spellings, brought into the form of RFC 6749, section 5. */

import type { CustomFetch } from 'openid-client'
import { plainCode, providerError } from './provider-failure.ts'
import { parseRetryAfter } from './retry.ts'

type Fields = Readonly<Record<string, unknown>>

/** The provider does not accept this server: its client id or secret, or what it may ask for. */
const CLIENT_REFUSED = new Set([
  ...['invalid_client', 'unauthorized_client'],
  // GitHub, Slack, Google.
  'incorrect_client_credentials',
  ...['invalid_client_id', 'bad_client_secret'],
  ...['disabled_client', 'deleted_client'],
])

/** Failures that pass by themselves (RFC 6749, 4.1.2.1; RFC 8628, 3.5; Slack). */
const PASSING = new Set([
  ...['server_error', 'temporarily_unavailable', 'slow_down'],
  ...['ratelimited', 'rate_limited', 'internal_error', 'fatal_error', 'service_unavailable'],
  'request_timeout',
])

/** Statuses below 500 that pass by themselves: time-out, too early, too many requests. */
const PASSING_STATUS = new Set([408, 425, 429])

/** Wraps `fetch` so that answers to token requests have the standard's form. */
export function normalizeTokenAnswers(fetch: CustomFetch, now: () => number): CustomFetch {
  return async (address, init) => {
    const response = await fetch(address, init)
    const { body } = init
    const grant = body instanceof URLSearchParams ? body.get('grant_type') : null
    if (grant === null) return response
    return normalized(response, grant === 'refresh_token', now())
  }
}

/**
 * The answer in the standard's form.
 * @throws ProviderError when the answer is a failure that the library would misread
 */
async function normalized(response: Response, isRefresh: boolean, now: number): Promise<Response> {
  const { status, headers } = response
  const text = await response.text()
  const fields = fieldsOf(text, headers.get('content-type') ?? '')
  const refusal = refusalIn(fields)
  const reason = refusal ?? String(status)
  if (status >= 500 || PASSING_STATUS.has(status) || PASSING.has(reason)) {
    const retryAfterSeconds = parseRetryAfter(headers.get('retry-after') ?? undefined, now)
    throw providerError('provider_unavailable', reason, { retryAfterSeconds })
  }
  if (CLIENT_REFUSED.has(reason) || (refusal === undefined && isClientChallenge(response))) {
    throw providerError('access_denied', reason)
  }
  // RFC 6749, 5.2 has one code for a refresh token that is dead; providers have dozens, or none.
  const isRefused = status >= 400 ? isRefresh : status < 300 && refusal !== undefined
  if (isRefused) throw providerError('invalid_grant', reason)
  if (status < 200 || status >= 300 || fields === undefined) {
    return new Response(text === '' ? null : text, { status, headers })
  }
  return Response.json(tokensIn(fields))
}

/** What an answer says, as JSON or as a form; undefined for what is neither. */
function fieldsOf(text: string, type: string): Fields | undefined {
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(text))
  }
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined
  } catch {
    return undefined
  }
}

/** The code of a refusal, whatever the status: GitHub and Slack answer 200. */
function refusalIn(fields: Fields | undefined): string | undefined {
  const { error, ok } = fields ?? {}
  if (typeof error === 'string' && error !== '') return plainCode(error)
  return ok === false || error ? 'error' : undefined
}

/** RFC 6749, 5.2: how a server is refused that tried to authenticate by the Authorization header. */
function isClientChallenge({ status, headers }: Response): boolean {
  return status === 401 && /^basic\b/i.test(headers.get('www-authenticate') ?? '')
}

/** Of an answer, what must be text; providers also send null, `""` or false. */
const TEXTS = ['access_token', 'token_type', 'refresh_token', 'id_token']

/** @throws ProviderError when there is no access token */
function tokensIn(fields: Fields): Fields {
  const { expires_in, scope } = fields
  const texts = Object.fromEntries(
    TEXTS.map((name) => [name, fields[name]]).filter(([, value]) => isText(value)),
  )
  if (texts.access_token === undefined) {
    throw providerError('provider_unavailable', 'no access token', { isUnusable: true })
  }
  const { token_type: type = 'bearer' } = texts
  const lifetime = Number(expires_in)
  return {
    ...texts,
    // Slack names whose token it is.
    token_type: type === 'user' || type === 'bot' ? 'bearer' : type,
    // RFC 6749, 5.1: a lifetime is recommended. One that is none is left out.
    ...(lifetime > 0 && Number.isFinite(lifetime) && { expires_in: lifetime }),
    ...(Array.isArray(scope) && { scope: scope.join(' ') }),
    ...(isText(scope) && { scope }),
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
