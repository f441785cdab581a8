/**
 * Maps the library's errors and the providers' error codes, standard and proprietary, to the port's
 * error codes, without content from the provider.
 */

import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import {
  ProviderError,
  type ProviderErrorCode,
  type ProviderErrorDetails,
} from './identity-provider.ts'

const MESSAGES: Record<ProviderErrorCode, string> = {
  provider_unavailable: 'The sign-in service did not answer properly. Try again shortly.',
  access_denied: 'The sign-in was cancelled or refused by the sign-in service.',
  invalid_client:
    'The sign-in service does not accept this server. Only its operator can correct that.',
  account_refused: 'This account is not allowed to use this server.',
  invalid_grant: 'The sign-in is no longer valid. Sign in again.',
  invalid_response: 'The answer of the sign-in service did not pass a security check.',
}

/** Failed comparisons: a forged response, or one for another client or sign-in. */
const FAILED_CHECKS = new Set([
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_KEY_SELECTION_FAILED',
  'OAUTH_UNSUPPORTED_OPERATION',
])

/** Converts any error of a provider call to ProviderError; `endpoint` is the last one requested. */
export function toProviderError(error: unknown, endpoint?: string): ProviderError {
  // The library wraps the errors of our own `fetch`.
  const known = error instanceof ClientError ? error.cause : error
  if (known instanceof ProviderError)
    return new ProviderError(known.code, known.message, {
      ...known,
      cause: known.cause,
      endpoint: known.endpoint ?? endpoint,
    })
  // An error in the browser's callback does not come from an endpoint.
  const asked = error instanceof AuthorizationResponseError ? undefined : endpoint
  return providerError(codeOf(error), reasonOf(error), { endpoint: asked, field: fieldOf(error) })
}

/** A ProviderError whose message is fixed by its code; `reason` is for the log. */
export function providerError(
  code: ProviderErrorCode,
  reason: string,
  details: Omit<ProviderErrorDetails, 'cause'> = {},
): ProviderError {
  return new ProviderError(code, MESSAGES[code], { ...details, cause: new Error(reason) })
}

/** The provider's error code, safe to log; replaced if it is not a plain word. */
export function plainCode(code: string): string {
  return /^[\w.-]{1,64}$/.test(code) ? code : 'error response'
}

function codeOf(error: unknown): ProviderErrorCode {
  if (error instanceof AuthorizationResponseError) {
    if (isClientRefused(error.error)) return 'invalid_client'
    return isPassing(error.error) ? 'provider_unavailable' : 'access_denied'
  }
  if (error instanceof ResponseBodyError) {
    if (error.error === 'invalid_grant') return 'invalid_grant'
    const { status } = error
    const passing = status >= 500 || status === 429 || isPassing(error.error, status)
    return passing ? 'provider_unavailable' : 'access_denied'
  }
  // The provider rejects the client id or secret.
  if (error instanceof WWWAuthenticateChallengeError) return 'invalid_client'
  if (error instanceof ClientError && error.code !== undefined) {
    if (FAILED_CHECKS.has(error.code)) return 'invalid_response'
    if (error.code === 'OAUTH_INVALID_RESPONSE' && !isGarbage(error)) return 'invalid_response'
  }
  return 'provider_unavailable'
}

/** Distinguishes malformed JSON from a wrong `state`: the library has one code for both. */
function isGarbage(error: ClientError): boolean {
  const detail = (error.cause as Error | undefined)?.cause
  return typeof detail === 'object' && detail !== null && 'body' in detail
}

/** Codes only: the library's errors carry responses, and thereby tokens, in their properties. */
function reasonOf(error: unknown): string {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    return plainCode(error.error)
  }
  const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: unknown }
  if (typeof code === 'string') return code
  const { code: causeCode, message } = (cause ?? {}) as { code?: unknown; message?: unknown }
  if (typeof causeCode === 'string') return causeCode
  // `fetch` blocks some ports before connecting (Fetch Standard, "port blocking").
  return message === 'bad port' ? message : String(name)
}

/** The claim or field of a failed check, from the library's error details or else its message. */
function fieldOf(error: unknown): string | undefined {
  if (!(error instanceof ClientError)) return undefined
  const { cause } = error
  const details = {
    ...(cause as Error | undefined),
    ...((cause as Error | undefined)?.cause ?? {}),
  }
  const { claim, attribute } = details as Record<string, unknown>
  const named = claim ?? attribute
  if (typeof named === 'string') return plainCode(named)
  const quoted = cause instanceof Error ? [...cause.message.matchAll(/"([\w-]{1,32})"/g)] : []
  return quoted.map(([, name]) => name).findLast((name) => name !== 'response' && name !== 'JWT')
}

/** The provider rejects this client: its id, secret or registration. */
const CLIENT_REFUSED: ReadonlySet<string> = new Set([
  ...['invalid_client', 'unauthorized_client'],
  // GitHub, Slack, Google.
  ...['incorrect_client_credentials', 'application_suspended', 'redirect_uri_mismatch'],
  ...['invalid_client_id', 'bad_client_secret', 'bad_redirect_uri'],
  ...['disabled_client', 'deleted_client'],
])

/** Refresh token invalid, or interaction required (RFC 6749, 5.2; OpenID Connect Core, 3.1.2.6). */
const SIGN_IN_ENDED: ReadonlySet<string> = new Set([
  ...['invalid_grant', 'invalid_token', 'expired_token'],
  ...['interaction_required', 'login_required', 'consent_required'],
  // GitHub, Slack.
  ...['bad_refresh_token', 'bad_verification_code', 'invalid_refresh_token'],
  ...['token_expired', 'token_revoked'],
])

/** Transient failures (RFC 6749, 4.1.2.1; RFC 8628, 3.5; Slack). */
const PASSING: ReadonlySet<string> = new Set([
  ...['server_error', 'temporarily_unavailable', 'slow_down'],
  ...['ratelimited', 'rate_limited', 'internal_error', 'fatal_error', 'service_unavailable'],
  'request_timeout',
])

/** Whether only the operator can correct it. */
export function isClientRefused(code: string): boolean {
  return CLIENT_REFUSED.has(code)
}

/** Whether only a new sign-in helps. */
export function isSignInEnded(code: string): boolean {
  return SIGN_IN_ENDED.has(code)
}

/** Whether a retry may succeed. ServiceNow refuses with 401 and `server_error`. */
export function isPassing(code: string, status?: number): boolean {
  return status !== 401 && PASSING.has(code)
}
