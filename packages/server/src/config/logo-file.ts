/** The logo of a server: an image file of the project, read once at start. */

import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

export interface Logo {
  readonly mediaType: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
}

/** A limit: every page includes the logo, and clients may load it for each server they list. */
const MAX_KIB = 256

/**
 * Reads the file that `branding.logo` names, relative to `directory`.
 * @throws Error with the reason if the file is invalid
 */
export function readLogo(path: string | undefined, directory: string): Logo | undefined {
  if (path === undefined) return undefined
  const mediaType = MEDIA_TYPES[extname(path).toLowerCase()]
  if (mediaType === undefined) {
    throw new Error('branding.logo must be an SVG, PNG, JPEG or WebP file, such as logo.svg')
  }
  const bytes = read(join(directory, path))
  if (bytes === undefined) throw new Error(`branding.logo: there is no file ${path}`)
  if (bytes.byteLength === 0 || bytes.byteLength > MAX_KIB * 1024) {
    throw new Error(`branding.logo must have between 1 byte and ${MAX_KIB} KiB`)
  }
  return { mediaType, bytes: new Uint8Array(bytes) }
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}
