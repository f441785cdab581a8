/** Resolves a URI to a resource, and extracts the values of a template's variables. */

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import type { ResourceDefinition } from './define-resource.ts'
import type { RawValues } from './uri-parts.ts'
import { compileUriTemplate, type UriTemplate } from './uri-template.ts'

/** Decoded values; a list for a variable such as `{tags*}`. Absent parameters have no entry. */
export type Variables = Readonly<Record<string, string | readonly string[]>>

export interface FoundResource<Resource> {
  readonly resource: Resource
  readonly url: URL
  readonly variables: Variables
}

/**
 * Undefined for a URI that matches no resource.
 * @throws ProtocolError -32602 for an invalid URI, and for values that cannot be decoded or attempt
 * path traversal
 */
export type FindResource<Resource> = (
  uri: string,
  /** Resources that the caller may not see are skipped, as if they were not declared. */
  isVisible?: (resource: Resource) => boolean,
) => FoundResource<Resource> | undefined

type Named = Pick<ResourceDefinition, 'name' | 'uri'>

/**
 * Fixed URIs take precedence over templates. Among matching templates, precedence is by more
 * literal characters, fewer `{+…}`, fewer expressions, then by name.
 */
export function createFindResource<Resource extends Named>(
  resources: readonly Resource[],
): FindResource<Resource> {
  const fixed = new Map<string, Resource>()
  const templates: { resource: Resource; template: UriTemplate }[] = []
  for (const resource of resources) {
    if (isTemplate(resource)) {
      templates.push({ resource, template: compileUriTemplate(resource.uri) })
    } else {
      fixed.set(new URL(resource.uri).href, resource)
    }
  }
  templates.sort((a, b) => bySpecificity(a, b) || (a.resource.name < b.resource.name ? -1 : 1))

  return (uri, isVisible = () => true) => {
    const url = parseUri(uri)
    const resource = fixed.get(url.href)
    if (resource !== undefined && isVisible(resource)) return { resource, url, variables: {} }
    for (const { resource, template } of templates) {
      const values = isVisible(resource) ? template.match(url.href) : undefined
      if (values !== undefined) return { resource, url, variables: decodeValues(values, uri) }
    }
    return undefined
  }
}

export function isTemplate({ uri }: Pick<ResourceDefinition, 'uri'>): boolean {
  return /[{}]/.test(uri)
}

/**
 * Validates a declared URI: a URI, or a template that matches one.
 * @throws TypeError
 */
export function checkDeclaredUri(resource: Named): void {
  const { uri } = resource
  if (!/^[a-z][a-z0-9+.-]*:/i.test(uri)) throw new TypeError('uri must be absolute')
  const sample = isTemplate(resource) ? compileUriTemplate(uri).sample : uri
  if (URL.canParse(sample) && createFindResource([resource])(sample) !== undefined) return
  const written = URL.canParse(sample) ? `: clients send ${new URL(sample).href}` : ''
  throw new TypeError(`uri matches no URI that a client can send${written}`)
}

function bySpecificity(a: { template: UriTemplate }, b: { template: UriTemplate }): number {
  const other = b.template.specificity
  const differences = a.template.specificity.map((value, index) => (other[index] ?? 0) - value)
  return differences.find((difference) => difference !== 0) ?? 0
}

/** URL parsers strip line breaks and outer spaces, which would yield another URI. */
const ALTERED = /^\s|\s$|\p{Cc}/u

function parseUri(uri: string): URL {
  if (ALTERED.test(uri) || !URL.canParse(uri)) throw invalidUri(uri, 'It is not a URI')
  return new URL(uri)
}

function decodeValues(values: RawValues, uri: string): Variables {
  const decode = (name: string, raw: string) => {
    const value = decodeOnce(raw)
    if (value === undefined) throw invalidUri(uri, `"${name}" is not valid percent-encoded UTF-8`)
    if (/\p{Cc}/u.test(value)) throw invalidUri(uri, `"${name}" has control characters`)
    if (/(?:^|[\\/])\.\.(?:[\\/]|$)/.test(value))
      throw invalidUri(uri, `"${name}" has a ".." segment`)
    return value
  }
  const decoded = [...values].map(([name, raw]) => {
    const value =
      typeof raw === 'string' ? decode(name, raw) : raw.map((each) => decode(name, each))
    return [name, value] as const
  })
  return Object.fromEntries(decoded)
}

/** RFC 3986, 2.4: decodes only once; double decoding would corrupt data that looks encoded. */
function decodeOnce(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw)
  } catch {
    return undefined
  }
}

function invalidUri(uri: string, fault: string): ProtocolError {
  const data = { uri, reason: 'invalid_uri' }
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid resource URI: ${fault}.`, data)
}
