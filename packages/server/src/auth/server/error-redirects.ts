/** Open redirector protection for errors of `/authorize` (RFC 9700, section 4.11.2). */

import type { KoaContextWithOIDC } from 'oidc-provider'
import { sha256 } from '../../crypto/hash.ts'
import { AppError } from '../../errors.ts'
import type { Store } from '../../store/port.ts'
import { describeTarget } from '../redirect-uris.ts'
import type { AuthorizationServerDeps } from './options.ts'

interface ErrorPages extends Pick<AuthorizationServerDeps, 'errorPage'> {
  /** The path prefix of the consent pages. */
  readonly pagesPath: string
}

/**
 * Replaces the error redirect to a client that no user has authorized by an error page. With
 * dynamic registration, an attacker could otherwise create links to this server that redirect
 * anywhere. Errors after the consent page use another route and are redirected: the user has
 * decided there.
 */
export async function keepErrors(
  ctx: KoaContextWithOIDC,
  clients: ConsentedClients,
  { errorPage, pagesPath }: ErrorPages,
): Promise<void> {
  const location = ctx.response.get('location')
  // The route redirects only to the consent page or with errors: without browser sessions, it never
  // issues a code directly.
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

/** False while the store is unavailable: the error page is the safe default. */
async function acceptsErrors(clients: ConsentedClients, clientId: string, redirectUri: string) {
  try {
    return await clients.acceptsErrorRedirect(clientId, redirectUri)
  } catch (error) {
    if (error instanceof AppError && error.code === 'unavailable') return false
    throw error
  }
}

/** Reads the error from the query, or from the fragment (response types with tokens). */
function failureIn({ searchParams, hash }: URL) {
  const answer = searchParams.has('error') ? searchParams : new URLSearchParams(hash.slice(1))
  const error = answer.get('error') ?? 'invalid_request'
  return { error, description: answer.get('error_description') ?? undefined }
}

/** Clients that a user has authorized, to which error redirects are safe. */
export type ConsentedClients = ReturnType<typeof createConsentedClients>

export function createConsentedClients(
  store: Pick<Store, 'get' | 'set'>,
  {
    clients,
    ttlSeconds,
  }: {
    /** The pre-registered clients. */
    readonly clients: readonly Readonly<Record<string, unknown>>[]
    readonly ttlSeconds: number
  },
) {
  const preRegistered = new Set(clients.map(({ client_id }) => client_id))
  const keyOf = (clientId: string) => `oauth:AuthorizedClient:${sha256(clientId)}`
  return {
    /** Records that a user authorized the client, and renews the record's TTL on use. */
    remember: (clientId: string): Promise<void> => store.set(keyOf(clientId), {}, ttlSeconds),
    /**
     * Whether an error may redirect the browser to the client before the user has seen a page
     * (RFC 9700, section 4.11.2: open redirector). https targets require a client that a user has
     * authorized or that is pre-registered. Native apps (loopback, custom scheme) are always
     * accepted: they run on the user's own device.
     */
    async acceptsErrorRedirect(clientId: string, redirectUri: string): Promise<boolean> {
      if (preRegistered.has(clientId) || describeTarget(redirectUri).kind !== 'https') return true
      return (await store.get(keyOf(clientId))) !== undefined
    },
  }
}
