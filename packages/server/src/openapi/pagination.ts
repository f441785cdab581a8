/** Bounds page-size parameters, so that a response fits into a model's context. */

import type { SchemaNode } from './schema-node.ts'

const PAGE_SIZE = /^(limit|per_?page|page_?size|page\[size\]|max_?results|max_?items)$/i
const DEFAULT_SIZE = 20
const LARGEST_SIZE = 100

export function isPageSize(name: string): boolean {
  return PAGE_SIZE.test(name)
}

/** The node with bounds and a default; undefined if it is not a number. */
export function pageSizeNode(node: SchemaNode): SchemaNode | undefined {
  if (node.kind !== 'number') return undefined
  const min = Math.max(1, Math.ceil(node.min ?? 1))
  const max = Math.max(min, Math.min(LARGEST_SIZE, Math.floor(node.max ?? LARGEST_SIZE)))
  return {
    ...node,
    isInteger: true,
    example: undefined,
    min,
    max,
    fallback: Math.min(Math.max(min, DEFAULT_SIZE), max),
  }
}
