/** Port of the upstream identity provider. Driver: `openid-client.ts`. */

/** The provider's tokens of one person; encrypted before they are stored. */
export interface Credentials {
  readonly accessToken: string
  readonly refreshToken?: string
  /** Unix time in milliseconds; absent when the provider named no lifetime. */
  readonly expiresAt?: number
  readonly scope?: string
  /** The account from the ID token or userinfo; absent for plain OAuth 2.0. */
  readonly account?: { readonly sub: string; readonly name?: string; readonly email?: string }
  /**
   * Set on credentials from a token exchange: hash of the scopes of the caller's token that was
   * exchanged. Without refresh token; valid for tokens with the same scopes.
   */
  readonly exchangedFor?: string
}

/** The caller's access token, issued for this server by the identity provider. */
export interface SubjectToken {
  readonly token: string
  /** Unix time in milliseconds. */
  readonly expiresAt: number
}

/** Secrets kept on the server between the redirect and the callback. */
export interface SignInCheck {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

export type ProviderErrorCode =
  /** No usable response: network, timeout, 5xx, malformed. Retryable. */
  | 'provider_unavailable'
  /** The user or the provider denied the request (`access_denied`, `login_required`, …). */
  | 'access_denied'
  /** The provider rejects this client: id, secret or registration. Only the operator can fix it. */
  | 'invalid_client'
  /** UPSTREAM_ALLOW does not include the account. */
  | 'account_refused'
  /** Code or refresh token expired or revoked: the user must sign in again. */
  | 'invalid_grant'
  /** The response failed a check (state, nonce, issuer, signature). Not retryable. */
  | 'invalid_response'

export interface ProviderErrorDetails {
  /** Short reason for the log; must not contain secrets. */
  readonly cause?: unknown
  /** The provider's `Retry-After`. */
  readonly retryAfterSeconds?: number | undefined
  /** The provider returned a success response without usable tokens. */
  readonly isUnusable?: boolean
  /** A refresh was rejected with a code that does not prove the refresh token invalid. */
  readonly isUncertain?: boolean
  /** URL of the last request, without its query. */
  readonly endpoint?: string | undefined
  /** The claim, parameter or field that failed a check. */
  readonly field?: string | undefined
}

/** A failure at the identity provider; the message may be shown to the user. */
export class ProviderError extends Error {
  readonly code: ProviderErrorCode
  readonly retryAfterSeconds: number | undefined
  readonly isUnusable: boolean
  readonly isUncertain: boolean
  readonly endpoint: string | undefined
  readonly field: string | undefined

  constructor(code: ProviderErrorCode, message: string, details: ProviderErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.name = 'ProviderError'
    this.code = code
    this.retryAfterSeconds = details.retryAfterSeconds
    this.isUnusable = details.isUnusable ?? false
    this.isUncertain = details.isUncertain ?? false
    this.endpoint = details.endpoint
    this.field = details.field
  }

  /**
   * True only for an error from an endpoint: the parameters of a browser's callback can be forged.
   */
  get isClientRefused(): boolean {
    return this.code === 'invalid_client' && this.endpoint !== undefined
  }

  /** The metadata of the configured issuer names another issuer. */
  get isOtherIssuer(): boolean {
    return this.code === 'invalid_response' && this.field === 'issuer'
  }

  /** Fields for the log. */
  get facts() {
    const { code: errorCode, cause, endpoint, field } = this
    return {
      errorCode,
      reason: cause instanceof Error ? cause.message : undefined,
      endpoint,
      field,
    }
  }
}

export interface IdentityProvider {
  /** The authorization URL (authorization code, PKCE S256, state and nonce). */
  authorizationUrl(redirectUri: string, check: SignInCheck): Promise<URL>
  /** Exchanges the code in the callback URL; verifies state, nonce, issuer and PKCE. */
  exchange(callbackUrl: URL, redirectUri: string, check: SignInCheck): Promise<Credentials>
  /**
   * Refreshes credentials; keeps the refresh token if the provider does not rotate it.
   * @throws ProviderError `invalid_grant` when the user must sign in again
   */
  refresh(credentials: Credentials): Promise<Credentials>
  /**
   * Exchanges the caller's token for credentials at the API that expire no later; absent unless
   * configured.
   * @throws ProviderError `invalid_grant` when the user must sign in, `access_denied` when only the
   * operator can correct the exchange
   */
  exchangeToken?(subject: SubjectToken): Promise<Credentials>
  /** Revokes the tokens if the provider supports it; best effort, ignores the provider's errors. */
  revoke(credentials: Credentials): Promise<void>
}
