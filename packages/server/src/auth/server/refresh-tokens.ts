/** The values of refresh tokens: all who exchange one at the same time get the same successor. */

import Provider, { type KoaContextWithOIDC } from 'oidc-provider'

/** The successor's value, for as long as the request lives that exchanges its predecessor. */
const successors = new WeakMap<KoaContextWithOIDC, string>()

export function rememberSuccessor(value: string): void {
  const { ctx } = Provider
  if (ctx !== undefined) successors.set(ctx, value)
}

/** Gives a refresh token that takes the place of another the value that was chosen in the store. */
export function shareSuccessors(provider: Provider): void {
  const model = provider.RefreshToken.prototype as unknown as { generateTokenId(): string }
  const generate = model.generateTokenId
  model.generateTokenId = function generateTokenId() {
    const { ctx } = Provider
    const isRotation = ctx?.oidc.entities.RotatedRefreshToken !== undefined
    return (isRotation && successors.get(ctx)) || generate.call(this)
  }
}
