/** The bearer check: who is calling, by the access token in the header. */

import { AppError } from '../errors.ts'
import type { Caller } from '../session/caller.ts'
import type { AccessTokens, TokenPresenter } from './access-tokens.ts'
import type { AdvertisedScopes } from './advertised-scopes.ts'
import { bearerChallenge } from './challenge.ts'
import type { Resource } from './resources.ts'

export interface AuthenticateDeps {
  readonly tokens: AccessTokens
  readonly scopes: AdvertisedScopes
}

export interface Door {
  readonly resource: Resource
  /** Whether callers without a token are refused. */
  readonly required: boolean
}

export interface Authenticate {
  /**
   * Finds who is calling, by the header `Authorization`; fields that came twice are joined by a comma.
   * Undefined for a token that is not valid: it is refused everywhere, also where none is needed, since
   * a caller must not be taken for another than it believes to be.
   * @throws AppError `unauthorized` or `invalid_request` with a challenge, `unavailable`
   */
  find(
    header: string | undefined,
    door: Door,
    presenter: TokenPresenter,
  ): Caller | Promise<Caller | undefined>
  /** What is wrong with a token that is not valid. */
  refusal(door: Door): Promise<AppError>
}

export function createAuthenticate({ tokens, scopes }: AuthenticateDeps): Authenticate {
  async function refusal(
    { resource }: Door,
    message: string,
    error?: 'invalid_token' | 'invalid_request',
  ) {
    const about = error === undefined ? {} : { error, description: message }
    const { challenged } = await scopes()
    const challenge = bearerChallenge({ resource, scopes: challenged, ...about })
    const code = error === 'invalid_request' ? error : 'unauthorized'
    return new AppError(code, message, { challenge })
  }

  async function refuse(...why: Parameters<typeof refusal>): Promise<never> {
    throw await refusal(...why)
  }

  return {
    find(header, door, presenter) {
      if (header === undefined) {
        if (door.required) return refuse(door, 'An access token is needed.')
        return { kind: 'anonymous', address: presenter.address() }
      }
      if (!/^bearer(?: |$)/i.test(header)) return refuse(door, 'Authorize with the scheme Bearer.')
      const token = bearerToken(header)
      if (token !== undefined) return tokens.callerOf(token, presenter)
      return refuse(door, 'The Authorization header is malformed.', 'invalid_request')
    },
    refusal: (door) => refusal(door, 'The access token is not valid.', 'invalid_token'),
  }
}

/** RFC 6750, 2.1. Headers that came twice are joined by a comma, which no token has. */
function bearerToken(header: string): string | undefined {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1]
}
