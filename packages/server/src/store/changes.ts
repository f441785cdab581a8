/** Changes of single fields: checks their paths, and applies them for drivers that cannot. */

import { decodeDocument, encodeFields, withRevision } from './documents.ts'
import { encodeJson } from './json-text.ts'
import type { Changes, Document } from './port.ts'

export interface Change {
  readonly path: readonly string[]
  /** The new value as JSON; undefined removes the field. */
  readonly json: string | undefined
}

const SEGMENT = /^[A-Za-z0-9_-]+$/
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Checks the paths and encodes the values.
 * @throws TypeError for a path that is malformed, reserved (`rev`, names that reach into an
 * object's prototype) or lies within another changed path
 */
export function parseChanges(changes: Changes): readonly Change[] {
  const parsed = Object.entries(changes).map(([name, value]) => {
    const path = parsePath(name)
    return { path, json: value === undefined ? undefined : encodeJson(value, path.length) }
  })
  for (const outer of parsed) {
    const inner = parsed.find((other) => other !== outer && isWithin(other.path, outer.path))
    if (inner) throw new TypeError(`"${inner.path.join('.')}" overlaps with another change.`)
  }
  return parsed
}

/** What `patch` throws when a nested field's parent is missing or not an object. */
export function missingParent(path: string): TypeError {
  return new TypeError(`The document has no object at "${path}".`)
}

/**
 * Applies the changes to the document's text, and increments its revision.
 * @throws TypeError when a nested field's parent is missing
 */
export function applyChanges(text: string, changes: readonly Change[]): string {
  const document = decodeDocument<Record<string, unknown>>(text)
  for (const { path, json } of changes) {
    const parent = parentOf(document, path)
    const field = path.at(-1) as string
    if (json === undefined) delete parent[field]
    else parent[field] = JSON.parse(json)
  }
  return withRevision(document.rev + 1, encodeFields(document))
}

function parsePath(name: string): readonly string[] {
  const path = name.split('.')
  if (path[0] === 'rev') throw new TypeError('The revision cannot be patched.')
  for (const segment of path) {
    if (!SEGMENT.test(segment) || FORBIDDEN.has(segment)) {
      throw new TypeError(`"${name}" is not a path to a field.`)
    }
  }
  return path
}

function isWithin(path: readonly string[], outer: readonly string[]): boolean {
  return outer.every((segment, index) => path[index] === segment)
}

function parentOf(document: Document, path: readonly string[]): Record<string, unknown> {
  let parent: unknown = document
  for (const [depth, segment] of path.slice(0, -1).entries()) {
    const child = Object.getOwnPropertyDescriptor(parent, segment)?.value as unknown
    if (typeof child !== 'object' || child === null || Array.isArray(child)) {
      throw missingParent(path.slice(0, depth + 1).join('.'))
    }
    parent = child
  }
  return parent as Record<string, unknown>
}
