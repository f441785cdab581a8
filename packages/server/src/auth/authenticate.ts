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

/**
 * Finds who is calling, by the header `Authorization`; fields that came twice are joined by a comma. A
 * token that is presented and not valid is refused everywhere, also where none is needed: a caller must
 * not be taken for another than it believes to be.
 * @throws AppError `unauthorized` or `invalid_request` with a challenge, `unavailable`
 */
export type Authenticate = (
  header: string | undefined,
  door: Door,
  presenter: TokenPresenter,
) => Caller | Promise<Caller>

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

  async function withToken(header: string, door: Door, presenter: TokenPresenter): Promise<Caller> {
    if (!/^bearer(?: |$)/i.test(header)) {
      throw await refusal(door, 'Authorize with the scheme Bearer.')
    }
    const token = bearerToken(header)
    if (token === undefined) {
      throw await refusal(door, 'The Authorization header is malformed.', 'invalid_request')
    }
    const caller = await tokens.callerOf(token, presenter)
    if (caller === undefined) {
      throw await refusal(door, 'The access token is not valid.', 'invalid_token')
    }
    return caller
  }

  return (header, door, presenter) => {
    if (header !== undefined) return withToken(header, door, presenter)
    if (!door.required) return { kind: 'anonymous', address: presenter.address() }
    return refusal(door, 'An access token is needed.').then((error) => Promise.reject(error))
  }
}

/** RFC 6750, 2.1. Headers that came twice are joined by a comma, which no token has. */
function bearerToken(header: string): string | undefined {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1]
}
