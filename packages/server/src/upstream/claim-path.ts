/** Claims by their name, and claims inside of others. */

export type Claims = Readonly<Record<string, unknown>>

/** By its name; else by the path that dots make, such as Keycloak's `realm_access.roles`. */
export function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  return name.split('.').reduce<unknown>((value, part) => {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, part)
    return isObject ? (value as Claims)[part] : undefined
  }, claims)
}
