/** The `Link` header (RFC 8288, section 3): where other pages are. */

/** A target, then its parameters; quoted values may hold commas and semicolons. */
const LINK = /<([^>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,;"]*))?)*)/g
const RELATION = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s,;"]*))/i

/** Of a relation that is given twice the first counts; targets that are no http addresses are left out. */
export function parseLinks(header: string | undefined, from: URL): Record<string, string> {
  const links: Record<string, string> = Object.create(null)
  for (const [, target = '', parameters = ''] of header?.matchAll(LINK) ?? []) {
    const [, quoted, plain = ''] = RELATION.exec(parameters) ?? []
    const url = URL.canParse(target, from.href) ? new URL(target, from) : undefined
    if (url === undefined || !/^https?:$/.test(url.protocol)) continue
    for (const relation of (quoted ?? plain).toLowerCase().split(/\s+/)) {
      if (relation !== '') links[relation] ??= url.href
    }
  }
  return links
}
