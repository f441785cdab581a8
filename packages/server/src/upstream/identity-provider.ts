/** What sign-in needs of an upstream identity provider. Driver: `openid-client.ts`. */

/** What the provider gave for one person; encrypted before it is stored. */
export interface Credentials {
  readonly accessToken: string
  readonly refreshToken?: string
  /** Unix time in milliseconds; absent when the provider named no lifetime. */
  readonly expiresAt?: number
  readonly scope?: string
  /** Who signed in, as the provider says (ID token or userinfo); absent for plain OAuth 2.0. */
  readonly account?: { readonly sub: string; readonly name?: string; readonly email?: string }
}

/** What must be kept, out of the browser's reach, between the redirect and the callback. */
export interface SignInCheck {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

export type ProviderErrorCode =
  /** No usable answer: network, time-out, 5xx, garbage. Worth another try. */
  | 'provider_unavailable'
  /** The person or the provider said no (`access_denied`, `login_required`, …). */
  | 'access_denied'
  /** The provider does not accept this server: client id, secret or registration. The operator's. */
  | 'invalid_client'
  /** Somebody signed in whom UPSTREAM_ALLOW does not name. */
  | 'account_refused'
  /** Code or refresh token no longer good: the person has to sign in again. */
  | 'invalid_grant'
  /** The answer failed a check (state, nonce, issuer, signature): refused, not worth a retry. */
  | 'invalid_response'

export interface ProviderErrorDetails {
  /** For the log: why, in a word or two, and nothing that the provider made secret. */
  readonly cause?: unknown
  /** How long the provider asks not to be asked again. */
  readonly retryAfterSeconds?: number | undefined
  /** The provider answered with success, but not with anything that can be used. */
  readonly isUnusable?: boolean
  /** A refresh was refused with a code that need not mean that the refresh token is dead. */
  readonly isUncertain?: boolean
  /** The address that was asked last, without its query. */
  readonly endpoint?: string | undefined
  /** The claim, parameter or field that failed a check. */
  readonly field?: string | undefined
}

/** A failure at the identity provider; the message is fit for the person to read. */
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
   * The provider itself has said so: what the browser brings back from it anybody can write.
   */
  get isClientRefused(): boolean {
    return this.code === 'invalid_client' && this.endpoint !== undefined
  }

  /** The metadata at the configured issuer is that of another one. */
  get isOtherIssuer(): boolean {
    return this.code === 'invalid_response' && this.field === 'issuer'
  }

  /** For the log: what failed where. */
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
  /** Where to send the browser (authorization code, PKCE S256, state and nonce). */
  authorizationUrl(redirectUri: string, check: SignInCheck): Promise<URL>
  /** Exchanges the code in the callback URL; verifies state, nonce, issuer and PKCE. */
  exchange(callbackUrl: URL, redirectUri: string, check: SignInCheck): Promise<Credentials>
  /**
   * New credentials for old ones; keeps the refresh token when the provider sends no new one.
   * @throws ProviderError `invalid_grant` when the person has to sign in again
   */
  refresh(credentials: Credentials): Promise<Credentials>
  /** Revokes what the provider lets us revoke; best effort, never throws for a provider's refusal. */
  revoke(credentials: Credentials): Promise<void>
}
