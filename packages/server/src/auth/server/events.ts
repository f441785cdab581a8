/**
 * Logs why the provider refused a request, since its responses are vague by design, and writes
 * issued and revoked tokens and grants to the audit log.
 */

import type { EventEmitter } from 'node:events'
import type Provider from 'oidc-provider'
import type { AccessToken, Client, KoaContextWithOIDC } from 'oidc-provider'
import { shortHash } from '../../crypto/hash.ts'
import { type AuditSubject, auditedSubject } from '../../engine/audit-subject.ts'
import type { Logger } from '../../logger.ts'
import { subjectOf } from './derived-sessions.ts'
import { sessionOfGrant } from './grants.ts'
import { isUnavailable } from './unavailable.ts'

const REFUSALS = [
  'authorization.error',
  'grant.error',
  'registration_create.error',
  'revocation.error',
  'introspection.error',
  'discovery.error',
  'jwks.error',
]

type Refusal = Error & {
  readonly error?: string
  readonly error_description?: string
  readonly error_detail?: string
}

export function logEvents(provider: Provider, log: Logger, mode: AuditSubject): void {
  const events: EventEmitter = provider
  for (const event of REFUSALS) {
    events.on(event, (ctx: KoaContextWithOIDC, error: Refusal) => {
      const facts = { route: ctx.oidc?.route, ...about(error), client: clientOf(ctx) }
      if (isUnavailable(error)) log.warn({ ...facts, err: error.cause }, 'authorization server')
      else log.info(facts, 'authorization refused')
    })
  }
  auditEvents(events, log, mode)
  events.on('server_error', (_ctx, error: Error) => {
    log.error({ err: error }, 'authorization server failed')
  })
  // Without a listener, Koa writes to the console.
  events.on('error', (error: Error) => log.error({ err: error }, 'authorization server failed'))
}

/** The account id of a token is its session id. */
function auditEvents(events: EventEmitter, log: Logger, mode: AuditSubject): void {
  events.on('registration_create.success', (_ctx, client: Client) => {
    log.audit({ client: client.clientId }, 'client registered')
  })
  events.on('grant.success', ({ oidc }: KoaContextWithOIDC) => {
    const session = oidc.account && shortHash(oidc.account.accountId)
    const grantType = oidc.params?.grant_type
    const person = assertedPerson(oidc.entities.AccessToken, mode)
    const client = oidc.client?.clientId
    log.audit({ client, session, grantType, ...person }, 'token issued')
  })
  events.on('access_token.destroyed', ({ clientId, accountId }: AccessToken) => {
    log.audit({ client: clientId, session: shortHash(accountId) }, 'token revoked')
  })
  events.on('grant.revoked', ({ oidc }: KoaContextWithOIDC, grantId: string) => {
    const session = shortHash(sessionOfGrant(grantId))
    log.audit({ client: oidc.client?.clientId, session }, 'grant revoked')
  })
}

/** The person of an identity assertion, and who asserted it. */
function assertedPerson(token: AccessToken | undefined, mode: AuditSubject) {
  const asserted = token && subjectOf(token)
  if (asserted === undefined) return {}
  const subject = auditedSubject(mode, asserted.sub)
  return { issuer: asserted.iss, ...(subject !== undefined && { subject }) }
}

function about({ error, error_description: description, error_detail: detail, cause }: Refusal) {
  // The parser's messages quote their input, which may contain a secret.
  const isParser = cause instanceof SyntaxError
  return { error, description, ...(detail !== undefined && !isParser && { detail }) }
}

function clientOf(ctx: KoaContextWithOIDC): string | undefined {
  const clientId = ctx.oidc?.client?.clientId
  return clientId && shortHash(clientId)
}
