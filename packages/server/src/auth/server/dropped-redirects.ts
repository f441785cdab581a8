/** The redirect URIs dropped from a registration, for the response and the log. */

import Provider, { type KoaContextWithOIDC } from 'oidc-provider'
import type { Logger } from '../../logger.ts'
import type { DroppedRedirectUri } from './clients.ts'

const drops = new WeakMap<KoaContextWithOIDC, readonly DroppedRedirectUri[]>()

/** Stores the dropped URIs until the response of the current request. */
export function rememberDropped(dropped: readonly DroppedRedirectUri[]): void {
  const { ctx } = Provider
  if (ctx !== undefined) drops.set(ctx, dropped)
}

/**
 * Members that explain in the registration response why redirect URIs are missing. RFC 7591,
 * section 3.2.1, permits additional members.
 */
export function droppedMembers(ctx: KoaContextWithOIDC, log: Logger): Record<string, unknown> {
  const dropped = drops.get(ctx)
  if (dropped === undefined) return {}
  log.info({ client: ctx.oidc.client?.clientId, dropped }, 'redirect URIs dropped')
  return { redirect_uris_dropped: dropped }
}
