/** From the text of a file to an OpenAPI document: JSON or YAML, 3.0 and 3.1 as they are, 2.0 upgraded. */

import { isObject, type JsonObject, member } from './references.ts'

/** A file that is no usable OpenAPI document; the message says why. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
}

/** In bytes; GitHub's document, one of the largest, has 13 MB. */
export const LARGEST_DOCUMENT = 50 * 1024 * 1024

export interface OpenApiDocument {
  readonly root: JsonObject
  readonly title: string
  /** Where its servers are, as it says. */
  readonly servers: readonly string[]
}

/**
 * Parses a document. References are left as they are.
 * @throws DocumentError
 */
export async function parseDocument(text: string): Promise<OpenApiDocument> {
  const parsed = await parse(text.replace(/^\uFEFF/, ''))
  const root = isObject(parsed) && parsed.swagger === '2.0' ? await upgrade(parsed) : parsed
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

async function parse(text: string): Promise<unknown> {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw new DocumentError(`It is not JSON: ${messageOf(error)}`)
    }
  }
  const { parse } = await optional('YAML', 'yaml', () => import('yaml'))
  try {
    // Aliases that multiply are refused from the hundredth on.
    return parse(text, { maxAliasCount: 100, logLevel: 'error' })
  } catch (error) {
    throw new DocumentError(`It is neither JSON nor YAML: ${messageOf(error)}`)
  }
}

async function upgrade(document: JsonObject): Promise<unknown> {
  const name = '@scalar/openapi-upgrader'
  const { upgrade } = await optional('OpenAPI 2.0', name, () => import('@scalar/openapi-upgrader'))
  try {
    return upgrade(document, '3.1')
  } catch (error) {
    throw new DocumentError(`It cannot be upgraded from 2.0 to 3.1: ${messageOf(error)}`)
  }
}

/** A package that servers do not need, so that it is the project's to install. */
async function optional<T>(what: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new DocumentError(`Reading ${what} needs a package: npm install --save-dev ${name}`)
  }
}

function messageOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return line.slice(0, 300)
}
