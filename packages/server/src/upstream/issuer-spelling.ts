/** Issuers are compared as text (RFC 8414, 3.3); what people mistype most is the slash at the end. */

/** Whether one of the two has a slash more at its end, and they are the same otherwise. */
export function differsBySlash(one: string, other: string): boolean {
  return one === `${other}/` || other === `${one}/`
}
