/**
 * The grants without a browser: `client_credentials` (RFC 6749, section 4.4), and identity
 * assertions (RFC 7523, section 2.1). Neither issues refresh tokens.
 */

import type Provider from 'oidc-provider'
import {
  type Client,
  errors,
  type KoaContextWithOIDC,
  type ResourceServer,
  type TokenEndpointGrantContext,
} from 'oidc-provider'
import {
  CLIENT_CREDENTIALS,
  JWT_BEARER,
  MACHINE_GRANTS,
  mayUse,
} from '../../config/machine-clients.ts'
import { personKey } from '../../session/record.ts'
import type { ResourceNames } from '../resources.ts'
import { refuseBlocked } from './blocked.ts'
import { ASSERTION_KEYS } from './clients.ts'
import {
  type AssertedSubject,
  assertedSessionId,
  currentGrant,
  machineSessionId,
  openDerivedSession,
  rememberSubject,
} from './derived-sessions.ts'
import type { VerifyAssertion } from './id-jag.ts'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import type { ScopeRules } from './requests.ts'
import { forProvider } from './unavailable.ts'

/** Scopes if the client's entry, or the assertion, names none. */
const BASE_SCOPES = ['mcp']

export interface MachineGrantParts {
  readonly resources: Pick<ResourceNames, 'canonical'>
  readonly scopes: ScopeRules
  readonly resourceServer: (resource: string) => ResourceServer
  /** Undefined without OAUTH_ID_JAG_ISSUERS. */
  readonly verifyAssertion: VerifyAssertion | undefined
}

type Metadata = Readonly<Record<string, unknown>>

interface Issued {
  readonly gty: string
  readonly sessionId: string
  readonly scope: string
  /** The default resource if undefined. */
  readonly resource: string | undefined
  readonly subject?: AssertedSubject
}

/** Adds the grants that a client of the configuration can use; metadata then advertises them. */
export function registerMachineGrants(
  provider: Provider,
  { clients }: Pick<AuthorizationServerOptions, 'clients'>,
  deps: IssueDeps,
  parts: MachineGrantParts,
): void {
  const configured = new Map(clients.map((client) => [client.client_id, client]))
  const { scopes, verifyAssertion } = parts
  const issue = createIssue(provider, deps, parts)
  leaveToHandlers(provider)
  if (clients.some((client) => mayUse(client, CLIENT_CREDENTIALS))) {
    registerClientCredentials(provider, configured, issue, scopes)
  }
  if (verifyAssertion !== undefined) {
    registerAssertions(provider, configured, issue, { scopes, verifyAssertion })
  }
}

type IssueDeps = Pick<AuthorizationServerDeps, 'sessions' | 'authorizations' | 'blocks'>
type Configured = ReadonlyMap<unknown, Metadata>
type Issue = ReturnType<typeof createIssue>
type AssertionParts = { readonly scopes: ScopeRules; readonly verifyAssertion: VerifyAssertion }

function registerClientCredentials(
  provider: Provider,
  configured: Configured,
  issue: Issue,
  { known }: ScopeRules,
): void {
  async function handle(ctx: TokenEndpointGrantContext): Promise<void> {
    const { client, params } = ctx.oidc
    const { clientId } = client
    const metadata = configured.get(clientId)
    if (metadata === undefined || !mayUse(metadata, CLIENT_CREDENTIALS)) throw refused()
    const allowed = allowedScopes(metadata) ?? BASE_SCOPES
    await issue(ctx, {
      gty: CLIENT_CREDENTIALS,
      sessionId: machineSessionId(clientId),
      scope: grantedScope(
        params.scope,
        allowed.filter((scope) => known.has(scope)),
      ),
      resource: params.resource as string | undefined,
    })
  }
  provider.registerGrantType(CLIENT_CREDENTIALS, handle, ['scope', 'resource'])
}

function registerAssertions(
  provider: Provider,
  configured: Configured,
  issue: Issue,
  { scopes: { known }, verifyAssertion }: AssertionParts,
): void {
  async function handle(ctx: TokenEndpointGrantContext): Promise<void> {
    const { client, params } = ctx.oidc
    const { clientId } = client
    const metadata = configured.get(clientId)
    const isAllowed = metadata ? mayUse(metadata, JWT_BEARER) : hasSigned(ctx, client)
    if (!isAllowed) throw refused()
    const { assertion } = params
    if (typeof assertion !== 'string') throw new errors.InvalidRequest('assertion is required')
    const { subject, scopes = BASE_SCOPES, resources } = await verifyAssertion(assertion, clientId)
    const most = metadata && allowedScopes(metadata)
    const allowed = scopes.filter((scope) => known.has(scope) && (most?.includes(scope) ?? true))
    await issue(ctx, {
      gty: JWT_BEARER,
      sessionId: assertedSessionId(subject, clientId),
      scope: grantedScope(params.scope, allowed),
      resource: chosenResource(params.resource, resources),
      subject,
    })
  }
  provider.registerGrantType(JWT_BEARER, handle, ['assertion', 'scope', 'resource'])
}

/** Issues an access token of a derived session, without a refresh token (RFC 6749, 4.4.3). */
function createIssue(
  provider: Provider,
  { sessions, authorizations, blocks }: IssueDeps,
  { resources, resourceServer }: MachineGrantParts,
) {
  return async (ctx: TokenEndpointGrantContext, issued: Issued): Promise<void> => {
    const { client } = ctx.oidc
    const { sessionId, scope, gty, subject, resource = resources.canonical } = issued
    const described = new provider.ResourceServer(resource, resourceServer(resource))
    const { clientId, clientName } = client
    const session = await forProvider(() => openDerivedSession(sessions, sessionId, clientName))
    await refuseBlocked(blocks, { clientId, session, subject: subject?.sub, issuer: subject?.iss })
    const facts = { clientId, clientName, scopes: scope.split(' ').filter(Boolean) }
    const named = subject && personKey(subject.iss, subject.sub)
    await forProvider(() => authorizations.issued(sessionId, facts, named))
    const grantId = currentGrant(session)
    await saveGrant(provider, { grantId, sessionId, clientId })
    const token = new provider.AccessToken({ accountId: sessionId, client, grantId, gty, scope })
    token.resourceServer = described
    if (subject !== undefined) rememberSubject(token, subject)
    ctx.oidc.entity('Account', { accountId: sessionId, claims: () => ({ sub: sessionId }) })
    ctx.oidc.entity('AccessToken', token)
    const value = await token.save()
    ctx.body = {
      access_token: value,
      expires_in: token.expiration,
      token_type: token.tokenType,
      ...(scope !== '' && { scope }),
    }
  }
}

/**
 * Lets the library call the handlers for all clients: they refuse with `unauthorized_client`
 * (RFC 6749, section 5.2), where the library would answer `invalid_request`.
 */
function leaveToHandlers(provider: Provider): void {
  const model = provider.Client.prototype as unknown as Pick<Client, 'grantTypeAllowed'>
  const isAllowed = model.grantTypeAllowed
  model.grantTypeAllowed = function grantTypeAllowed(this: Client, type: string) {
    return MACHINE_GRANTS.includes(type) || isAllowed.call(this, type)
  }
}

function refused(): errors.UnauthorizedClient {
  return new errors.UnauthorizedClient('the client may not use this grant type')
}

/** Whether a client with a metadata document has authenticated by an assertion of its own. */
function hasSigned({ oidc }: KoaContextWithOIDC, client: Client): boolean {
  return client[ASSERTION_KEYS] !== undefined && oidc.body?.client_assertion !== undefined
}

/** The scopes that the operator gives to a client; undefined if its entry names none. */
function allowedScopes({ scope }: Metadata): readonly string[] | undefined {
  return typeof scope === 'string' ? [...new Set(scope.split(' '))] : undefined
}

/**
 * Drops requested scopes that are not allowed, since clients request all that a challenge names; the
 * response names the granted ones (RFC 6749, 3.3).
 * @throws InvalidScope when none is left
 */
function grantedScope(asked: unknown, allowed: readonly string[]): string {
  if (typeof asked !== 'string') return allowed.join(' ')
  const granted = allowed.filter((scope) => asked.split(' ').includes(scope))
  if (granted.length === 0) throw new errors.InvalidScope('none of the scopes is allowed', asked)
  return granted.join(' ')
}

/** The resource of the token: that of the request, which must be one of the assertion's. */
function chosenResource(asked: unknown, named: readonly string[] | undefined): string | undefined {
  if (typeof asked !== 'string') return named?.[0]
  if (named?.includes(asked) === false) throw new errors.InvalidTarget()
  return asked
}

/** Saves the grant, which the library's introspection requires. */
async function saveGrant(
  provider: Provider,
  { grantId, sessionId, clientId }: Readonly<Record<'grantId' | 'sessionId' | 'clientId', string>>,
): Promise<void> {
  const grant = new provider.Grant({ accountId: sessionId, clientId })
  grant.jti = grantId
  await grant.save()
}
