/** Refresh token rotation: concurrent exchanges of one token receive the same successor. */

import Provider, { type KoaContextWithOIDC } from 'oidc-provider'

/** The successor's value, per request that exchanges the predecessor. */
const successors = new WeakMap<KoaContextWithOIDC, string>()

export function rememberSuccessor(value: string): void {
  const { ctx } = Provider
  if (ctx !== undefined) successors.set(ctx, value)
}

/** Makes a rotated refresh token use the value recorded in the store by the first exchange. */
export function shareSuccessors(provider: Provider): void {
  const model = provider.RefreshToken.prototype as unknown as { generateTokenId(): string }
  const generate = model.generateTokenId
  model.generateTokenId = function generateTokenId() {
    const { ctx } = Provider
    const isRotation = ctx?.oidc.entities.RotatedRefreshToken !== undefined
    return (isRotation && successors.get(ctx)) || generate.call(this)
  }
}
