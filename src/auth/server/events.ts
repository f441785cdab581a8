/** Tells the log why the provider refused something: its answers are vague by design. */

import type { EventEmitter } from 'node:events'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { shortHash } from '../../crypto/hash.ts'
import type { Logger } from '../../logger.ts'
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

export function logEvents(provider: Provider, log: Logger): void {
  const events: EventEmitter = provider
  for (const event of REFUSALS) {
    events.on(event, (ctx: KoaContextWithOIDC, error: Refusal) => {
      const facts = { route: ctx.oidc?.route, ...about(error), client: clientOf(ctx) }
      if (isUnavailable(error)) log.warn({ ...facts, err: error.cause }, 'authorization server')
      else log.info(facts, 'authorization refused')
    })
  }
  events.on('server_error', (_ctx, error: Error) => {
    log.error({ err: error }, 'authorization server failed')
  })
  // Without a listener of ours Koa writes to the console.
  events.on('error', (error: Error) => log.error({ err: error }, 'authorization server failed'))
}

function about({ error, error_description: description, error_detail: detail, cause }: Refusal) {
  // The parser's messages repeat what could not be parsed, which may be a secret.
  const isParser = cause instanceof SyntaxError
  return { error, description, ...(detail !== undefined && !isParser && { detail }) }
}

function clientOf(ctx: KoaContextWithOIDC): string | undefined {
  const clientId = ctx.oidc?.client?.clientId
  return clientId && shortHash(clientId)
}
