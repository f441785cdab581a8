/** The bearer check: who is calling, by the access token in the header. */

import { AppError } from '../errors.ts'
import type { Caller } from '../session/caller.ts'
import type { AccessTokens, OnSession } from './access-tokens.ts'
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
 * Tells who is calling. A token that is shown and not good is refused everywhere, also where none
 * is needed: a caller must not be taken for another than it believes to be. `addressOf` tells
 * what a caller without a token is counted by; with one only an issuer that has to be asked about it.
 * @throws AppError `unauthorized` or `invalid_request` with a challenge, `unavailable`
 */
export type Authenticate = (
  request: Request,
  door: Door,
  addressOf: () => string,
  onSession?: OnSession,
) => Promise<Caller>

export function createAuthenticate({ tokens, scopes }: AuthenticateDeps): Authenticate {
  return async ({ headers }, { resource, required }, addressOf, onSession) => {
    const refuse = async (message: string, error?: 'invalid_token' | 'invalid_request') => {
      const about = error === undefined ? {} : { error, description: message }
      const { challenged } = await scopes()
      const challenge = bearerChallenge({ resource, scopes: challenged, ...about })
      const code = error === 'invalid_request' ? error : 'unauthorized'
      return new AppError(code, message, { challenge })
    }
    const header = headers.get('authorization')
    if (header === null) {
      if (required) throw await refuse('An access token is needed.')
      return { kind: 'anonymous', address: addressOf() }
    }
    if (!/^bearer(?: |$)/i.test(header)) throw await refuse('Authorize with the scheme Bearer.')
    const token = bearerToken(header)
    if (token === undefined)
      throw await refuse('The Authorization header is malformed.', 'invalid_request')
    const caller = await tokens.callerOf(token, onSession, addressOf)
    if (caller === undefined) throw await refuse('The access token is not valid.', 'invalid_token')
    return caller
  }
}

/** RFC 6750, 2.1. Headers that came twice are joined by a comma, which no token has. */
function bearerToken(header: string): string | undefined {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1]
}
