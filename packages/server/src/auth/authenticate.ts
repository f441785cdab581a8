/** Bearer authentication: identifies the caller by the access token in `Authorization`. */

import { AppError } from '../errors.ts'
import { type Blocks, blockedText, blockOf, NO_BLOCKS } from '../session/blocks.ts'
import type { Caller, TokenCaller } from '../session/caller.ts'
import type { AccessTokens, TokenPresenter } from './access-tokens.ts'
import { bearerChallenge, type Resource } from './resources.ts'
import type { AdvertisedScopes } from './scopes.ts'

export interface AuthenticateDeps {
  readonly tokens: AccessTokens
  readonly scopes: AdvertisedScopes
  /** Clients and people whose tokens are refused. */
  readonly blocks: Blocks
}

export interface ResourceRequirement {
  readonly resource: Resource
  /** Whether callers without a token are refused. */
  readonly required: boolean
}

export type Authenticate = ReturnType<typeof createAuthenticate>

export function createAuthenticate({ tokens, scopes, blocks }: AuthenticateDeps) {
  async function refusal(
    { resource }: ResourceRequirement,
    message: string,
    error?: 'invalid_token' | 'invalid_request',
  ) {
    const about = error === undefined ? {} : { error, description: message }
    const { challenged } = await scopes()
    const challenge = bearerChallenge({ resource, scopes: challenged, ...about })
    const code = error === 'invalid_request' ? error : 'unauthorized'
    return new AppError(code, message, { challenge })
  }

  /** @throws AppError `forbidden`: a new token would not help, so there is no challenge */
  async function unlessBlocked(
    finding: Promise<TokenCaller | undefined>,
  ): Promise<TokenCaller | undefined> {
    const caller = await finding
    // Read only for a valid token: any other must not cause a store access.
    const what = caller && blockOf(await blocks.current(), caller)
    if (what === undefined) return caller
    throw new AppError('forbidden', blockedText(what))
  }

  async function refuse(...why: Parameters<typeof refusal>): Promise<never> {
    throw await refusal(...why)
  }

  return {
    /**
     * Identifies the caller by the `Authorization` header; repeated fields are joined by a comma.
     * Undefined for an invalid token, which is refused even on routes that require none: a caller
     * that believes to be authenticated must not act as anonymous.
     * @throws AppError `unauthorized` or `invalid_request` with a challenge, `unavailable`
     */
    find(
      header: string | undefined,
      requirement: ResourceRequirement,
      presenter: TokenPresenter,
    ): Caller | Promise<Caller | undefined> {
      if (header === undefined) {
        if (requirement.required) return refuse(requirement, 'An access token is needed.')
        return { kind: 'anonymous', address: presenter.address() }
      }
      if (!/^bearer(?: |$)/i.test(header))
        return refuse(requirement, 'Authorize with the scheme Bearer.')
      const token = bearerToken(header)
      if (token !== undefined) {
        const finding = tokens.callerOf(token, presenter)
        return blocks.fresh() === NO_BLOCKS ? finding : unlessBlocked(finding)
      }
      return refuse(requirement, 'The Authorization header is malformed.', 'invalid_request')
    },
    /** The 401 error, with a challenge, for an invalid token. */
    refusal: (requirement: ResourceRequirement): Promise<AppError> =>
      refusal(requirement, 'The access token is not valid.', 'invalid_token'),
  }
}

/** RFC 6750, 2.1. Repeated headers are joined by a comma, which no token contains. */
function bearerToken(header: string): string | undefined {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1]
}
