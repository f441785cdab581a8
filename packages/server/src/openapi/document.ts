/** Parses a file as an OpenAPI document: JSON or YAML; 3.0 and 3.1 as they are, 2.0 upgraded. */

import { isObject, type JsonObject, member } from './references.ts'

/** An invalid OpenAPI document; the message says why. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
}

/** In bytes; GitHub's document, one of the largest, has 13 MB. */
export const LARGEST_DOCUMENT = 50 * 1024 * 1024

export interface OpenApiDocument {
  readonly root: JsonObject
  readonly title: string
  /** The server URLs that the document declares. */
  readonly servers: readonly string[]
}

/** Optional packages that servers do not need at run time; the project installs them. */
interface Packages {
  yaml(): Promise<{ parse(text: string, options: object): unknown }>
  '@scalar/openapi-upgrader'(): Promise<{ upgrade(document: object, version: '3.1'): unknown }>
}

const PACKAGES: Packages = {
  yaml: () => import('yaml'),
  '@scalar/openapi-upgrader': () => import('@scalar/openapi-upgrader'),
}

/**
 * Parses a document. Does not resolve references.
 * @throws DocumentError
 */
export async function parseDocument(
  text: string,
  packages: Packages = PACKAGES,
): Promise<OpenApiDocument> {
  const parsed = await parse(text.replace(/^\uFEFF/, ''), packages)
  const isOld = isObject(parsed) && parsed.swagger === '2.0'
  const root = isOld ? await upgrade(parsed, packages) : parsed
  if (!isObject(root)) throw new DocumentError('It is not an OpenAPI document: it is no object.')
  const { openapi } = root
  if (typeof openapi !== 'string' || !/^3\.[0-2](\.|$)/.test(openapi)) {
    throw new DocumentError(
      'It is not an OpenAPI document: it must have `openapi: 3.0.x`, `3.1.x` or `3.2.x`, or `swagger: "2.0"`.',
    )
  }
  if (!isObject(root.paths) || Object.keys(root.paths).length === 0) {
    throw new DocumentError('The document has no paths.')
  }
  const title = member(root.info, 'title')
  return { root, title: typeof title === 'string' ? title : '', servers: serversOf(root) }
}

function serversOf({ servers }: JsonObject): string[] {
  const list = Array.isArray(servers) ? servers : []
  return list.map((server) => member(server, 'url')).filter((url) => typeof url === 'string')
}

async function parse(text: string, packages: Packages): Promise<unknown> {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw new DocumentError(`It is not JSON: ${messageOf(error)}`)
    }
  }
  const { parse } = await installed(packages, 'yaml', 'YAML')
  try {
    // Bounds YAML alias expansion ("billion laughs").
    return parse(text, { maxAliasCount: 100, logLevel: 'error' })
  } catch (error) {
    throw new DocumentError(`It is neither JSON nor YAML: ${messageOf(error)}`)
  }
}

async function upgrade(document: JsonObject, packages: Packages): Promise<unknown> {
  const { upgrade } = await installed(packages, '@scalar/openapi-upgrader', 'Swagger 2.0')
  try {
    return upgrade(document, '3.1')
  } catch (error) {
    throw new DocumentError(`It cannot be upgraded from 2.0 to 3.1: ${messageOf(error)}`)
  }
}

async function installed<N extends keyof Packages>(packages: Packages, name: N, what: string) {
  try {
    return (await packages[name]()) as Awaited<ReturnType<Packages[N]>>
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new DocumentError(`Reading ${what} needs a package: npm install --save-dev ${name}`)
  }
}

function messageOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return line.slice(0, 300)
}
