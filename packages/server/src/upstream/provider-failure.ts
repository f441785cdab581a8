/** From the library's errors to the port's codes, without anything the provider sent. */

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
import { isClientRefused, isPassing } from './refusal-codes.ts'

const MESSAGES: Record<ProviderErrorCode, string> = {
  provider_unavailable: 'The sign-in service did not answer properly. Try again shortly.',
  access_denied: 'The sign-in was cancelled or refused by the sign-in service.',
  invalid_client:
    'The sign-in service does not accept this server. Only its operator can correct that.',
  account_refused: 'This account is not allowed to use this server.',
  invalid_grant: 'The sign-in is no longer valid. Sign in again.',
  invalid_response: 'The answer of the sign-in service did not pass a security check.',
}

/** Failed comparisons: somebody else's answer, or a forged one. */
const FAILED_CHECKS = new Set([
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_KEY_SELECTION_FAILED',
  'OAUTH_UNSUPPORTED_OPERATION',
])

/** The ProviderError for whatever a call of the provider ended in; `endpoint` was asked last. */
export function toProviderError(error: unknown, endpoint?: string): ProviderError {
  // What our own fetch throws comes back wrapped by the library.
  const known = error instanceof ClientError ? error.cause : error
  if (known instanceof ProviderError)
    return new ProviderError(known.code, known.message, {
      ...known,
      cause: known.cause,
      endpoint: known.endpoint ?? endpoint,
    })
  // What the browser brought back says nothing of an endpoint.
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

/** An error code of the provider for the log: what is no plain word is left out, it may be anything. */
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
    const passing = error.status >= 500 || error.status === 429 || isPassing(error.error)
    return passing ? 'provider_unavailable' : 'access_denied'
  }
  // The provider does not know this server, or not by this secret.
  if (error instanceof WWWAuthenticateChallengeError) return 'invalid_client'
  if (error instanceof ClientError && error.code !== undefined) {
    if (FAILED_CHECKS.has(error.code)) return 'invalid_response'
    if (error.code === 'OAUTH_INVALID_RESPONSE' && !isGarbage(error)) return 'invalid_response'
  }
  return 'provider_unavailable'
}

/** The library has one code for a wrong `state` and for JSON that lacks a field. */
function isGarbage(error: ClientError): boolean {
  const detail = (error.cause as Error | undefined)?.cause
  return typeof detail === 'object' && detail !== null && 'body' in detail
}

/** Codes only: the library's errors carry answers, and with them tokens, in their properties. */
function reasonOf(error: unknown): string {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    return plainCode(error.error)
  }
  const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: unknown }
  if (typeof code === 'string') return code
  const { code: causeCode, message } = (cause ?? {}) as { code?: unknown; message?: unknown }
  if (typeof causeCode === 'string') return causeCode
  // Fetch refuses some ports before it connects (Fetch Standard, "port blocking").
  return message === 'bad port' ? message : String(name)
}

/** The claim or field of a failed check: the library's details name it, or else its message. */
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
