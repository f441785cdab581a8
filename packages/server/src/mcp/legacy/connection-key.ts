/** Where a connection lies in the store. */

/** The connection's key in the store. */
export function connectionKey(id: string): string {
  return `{${id}}:conn`
}
