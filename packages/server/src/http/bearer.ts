/**
 * Bearer authentication: identifies the caller by the access token in `Authorization`, and counts
 * the request against the rate limits.
 */

import type { MiddlewareHandler } from 'hono'
import type { AccessTokens, TokenPresenter } from '../auth/access-tokens.ts'
import { bearerChallenge, type Resource } from '../auth/resources.ts'
import type { AdvertisedScopes } from '../auth/scopes.ts'
import { AppError } from '../errors.ts'
import { type Blocks, blockedText, blockOf, NO_BLOCKS } from '../session/blocks.ts'
import type { Caller, TokenCaller } from '../session/caller.ts'
import { clientAddress, networkOf } from './client-address.ts'
import type { HttpEnv } from './http-env.ts'
import type { CallRates, CountedRequest } from './rate-limit.ts'
import { asRequested } from './request-target.ts'

/** RFC 6750, 2.1. Repeated headers are joined by a comma, which no token contains. */
const CREDENTIALS = /^bearer +[\w.~+/-]+=*$/i

/** A request to authenticate; `Identify` sets its caller. */
export interface BearerRequest extends CountedRequest, TokenPresenter {
  caller: Caller | undefined
}

export interface ResourceRequirement {
  readonly resource: Resource
  /** Whether callers without a token are refused. */
  readonly required: boolean
}

export interface IdentifyDeps {
  readonly tokens: AccessTokens
  readonly scopes: AdvertisedScopes
  /** Clients and people whose tokens are refused. */
  readonly blocks: Blocks
  /** Undefined if rate limits are off. */
  readonly rates: CallRates | undefined
}

export type Identify = ReturnType<typeof createIdentify>

export function createIdentify({ tokens, scopes, blocks, rates }: IdentifyDeps) {
  const refuse = createRefuse(scopes)
  const find = createFindCaller(tokens, refuse)

  /** @throws AppError `forbidden`: a new token would not help, so there is no challenge */
  async function refuseBlocked(caller: TokenCaller): Promise<void> {
    const what = blockOf(await blocks.current(), caller)
    if (what !== undefined) throw new AppError('forbidden', blockedText(what))
  }

  /**
   * Authenticates the caller by the headers, and counts the request. An invalid token is refused
   * even on routes that require none: a caller that believes to be authenticated must not act as
   * anonymous.
   * @throws AppError `unauthorized` or `invalid_request` with a challenge, `forbidden`,
   *   `unavailable`, `too_many_requests`
   */
  return async (request: BearerRequest, requirement: ResourceRequirement): Promise<Caller> => {
    try {
      const finding = find(request, requirement)
      const caller = finding instanceof Promise ? await finding : finding
      if (caller === undefined) {
        return await refuse(requirement, 'The access token is not valid.', 'invalid_token')
      }
      // Only for a valid token: any other must not cause a read of the list.
      if (caller.kind === 'token' && blocks.fresh() !== NO_BLOCKS) await refuseBlocked(caller)
      request.caller = caller
    } catch (error) {
      await rates?.countRefused(request, error)
      throw error
    }
    const counting = rates?.count(request)
    if (counting !== undefined) await counting
    return request.caller
  }
}

type Refuse = ReturnType<typeof createRefuse>

/** Refuses a request with a challenge, which says where to get a token. */
function createRefuse(scopes: AdvertisedScopes) {
  return async (
    { resource }: ResourceRequirement,
    message: string,
    error?: 'invalid_token' | 'invalid_request',
  ): Promise<never> => {
    const about = error === undefined ? {} : { error, description: message }
    const { challenged } = await scopes()
    const challenge = bearerChallenge({ resource, scopes: challenged, ...about })
    const code = error === 'invalid_request' ? error : 'unauthorized'
    throw new AppError(code, message, { challenge })
  }
}

/** Finds the caller by the `Authorization` header; undefined for an invalid token. */
function createFindCaller(tokens: AccessTokens, refuse: Refuse) {
  return (
    request: BearerRequest,
    requirement: ResourceRequirement,
  ): Caller | Promise<Caller | undefined> => {
    const { authorization: header } = request.incoming.headers
    if (header === undefined) {
      if (requirement.required) return refuse(requirement, 'An access token is needed.')
      return { kind: 'anonymous', address: request.address() }
    }
    if (CREDENTIALS.test(header)) {
      return tokens.callerOf(header.slice(header.lastIndexOf(' ') + 1), request)
    }
    if (!/^bearer(?: |$)/i.test(header))
      return refuse(requirement, 'Authorize with the scheme Bearer.')
    return refuse(requirement, 'The Authorization header is malformed.', 'invalid_request')
  }
}

export interface BearerDeps extends Pick<IdentifyDeps, 'rates'> {
  readonly identify: Identify
  /** Number of trusted proxies: entries of `X-Forwarded-For` to trust. */
  readonly trustedProxies: number
}

/** Authenticates the request and sets `caller` in the context. */
export function bearer(
  { identify, rates, trustedProxies }: BearerDeps,
  requirement: ResourceRequirement,
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const { incoming, outgoing } = c.env
    const request: BearerRequest = {
      ...{ incoming, outgoing },
      caller: undefined,
      bodyBytes: undefined,
      weight: undefined,
      address: () => networkOf(clientAddress(incoming, trustedProxies)),
      onSession: (id) => rates?.refuseKnown(request, id),
    }
    const resource = asRequested(incoming, requirement.resource)
    c.set('caller', await identify(request, { ...requirement, resource }))
    await next()
  }
}
