/** Issuers are compared as strings (RFC 8414, 3.3); the usual mistake is the trailing slash. */

/** Whether the two differ only by one trailing slash. */
export function differsBySlash(one: string, other: string): boolean {
  return one === `${other}/` || other === `${one}/`
}
