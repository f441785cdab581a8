/** Optional fields: absent rather than undefined, as `exactOptionalPropertyTypes` requires. */

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

/** Leaves out the fields that are undefined. */
export function defined<T extends object>(fields: T): Defined<T> {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as Defined<T>
}
