/** Error codes of providers, standard and proprietary, grouped by remedy. */

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

/** Whether a retry may succeed. */
export function isPassing(code: string): boolean {
  return PASSING.has(code)
}
