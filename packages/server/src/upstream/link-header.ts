/** Parses the `Link` header (RFC 8288, section 3), used for pagination. */

/** A target, then its parameters; quoted values may hold commas and semicolons. */
const LINK = /<([^>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,;"]*))?)*)/g
const RELATION = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s,;"]*))/i

/** The first link of each relation wins; targets other than http(s) URLs are ignored. */
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
