/** Which redirect URIs a registration lost, for its answer and for the log. */

import Provider, { type KoaContextWithOIDC } from 'oidc-provider'
import type { Logger } from '../../logger.ts'
import type { DroppedRedirectUri } from './clients.ts'

const drops = new WeakMap<KoaContextWithOIDC, readonly DroppedRedirectUri[]>()

/** Keeps it for the answer to the request under way. */
export function rememberDropped(dropped: readonly DroppedRedirectUri[]): void {
  const { ctx } = Provider
  if (ctx !== undefined) drops.set(ctx, dropped)
}

/**
 * What to add to the answer, so that whoever reads it knows why one of the client's addresses is
 * missing. RFC 7591, section 3.2.1, lets the server return further members.
 */
export function droppedMembers(ctx: KoaContextWithOIDC, log: Logger): Record<string, unknown> {
  const dropped = drops.get(ctx)
  if (dropped === undefined) return {}
  log.info({ client: ctx.oidc.client?.clientId, dropped }, 'redirect URIs dropped')
  return { redirect_uris_dropped: dropped }
}
