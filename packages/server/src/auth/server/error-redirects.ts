/** Errors of `/authorize` that would send the browser to a client which nobody has authorized. */

import type { KoaContextWithOIDC } from 'oidc-provider'
import { AppError } from '../../errors.ts'
import type { ConsentedClients } from './consented-clients.ts'
import type { AuthorizationServerDeps } from './options.ts'

export interface ErrorPages extends Pick<AuthorizationServerDeps, 'errorPage'> {
  /** Below it the consent pages lie. */
  readonly pagesPath: string
}

/**
 * Shows a page instead (RFC 9700, section 4.11.2): whoever registers a client could otherwise make
 * links to this server that lead anywhere. Errors after the consent page come from another route,
 * and are redirected: there a person has decided.
 */
export async function keepErrors(
  ctx: KoaContextWithOIDC,
  clients: ConsentedClients,
  { errorPage, pagesPath }: ErrorPages,
): Promise<void> {
  const location = ctx.response.get('location')
  // Nothing but the consent page and errors: there are no browser sessions to give codes at once.
  if (ctx.oidc?.route !== 'authorization' || !location || location.startsWith(pagesPath)) return
  const { client_id, redirect_uri } = ctx.oidc.params ?? {}
  if (await acceptsErrors(clients, String(client_id), String(redirect_uri))) return
  const { error, description } = failureIn(new URL(location))
  const { headers, html } = await errorPage({ error, description })
  ctx.remove('location')
  ctx.set(headers)
  ctx.status = STATUS[error] ?? 400
  ctx.body = html
  if (ctx.status === 503) ctx.set('retry-after', '1')
}

const STATUS: Readonly<Record<string, number>> = { temporarily_unavailable: 503, server_error: 500 }

/** While the store is away nobody knows, and the page is safe. */
async function acceptsErrors(clients: ConsentedClients, clientId: string, redirectUri: string) {
  try {
    return await clients.acceptsErrorRedirect(clientId, redirectUri)
  } catch (error) {
    if (error instanceof AppError && error.code === 'unavailable') return false
    throw error
  }
}

/** In the query, or in the fragment where tokens would be. */
function failureIn({ searchParams, hash }: URL) {
  const answer = searchParams.has('error') ? searchParams : new URLSearchParams(hash.slice(1))
  const error = answer.get('error') ?? 'invalid_request'
  return { error, description: answer.get('error_description') ?? undefined }
}
