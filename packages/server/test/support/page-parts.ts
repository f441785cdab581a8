/** The parts of every page: one heading, a title, buttons, no script, and a strict CSP. */

import { createHash } from 'node:crypto'
import { expect } from 'vitest'

export interface PageParts {
  readonly heading: string
  /** The title of the tab; by default the heading and the name of the server. */
  readonly title?: string
  readonly buttons: readonly string[]
}

/** Checks the parts of a page of this server, whose name is `MCP Template` unless given. */
export function expectPageParts(
  { text, headers }: { readonly text: string; readonly headers: Headers },
  { heading, title = `${heading} – MCP Template`, buttons }: PageParts,
): void {
  expect(headers.get('content-type')).toMatch(/^text\/html; charset=utf-8$/i)
  expect(matches(text, /<h1>([^<]*)<\/h1>/g)).toEqual([heading])
  expect(matches(text, /<title>([^<]*)<\/title>/g)).toEqual([title])
  expect(matches(text, /<button[^>]*>([^<]*)</g).map((each) => each.trim())).toEqual(buttons)
  expect(text).toMatch(/^<!doctype html>\s*<html lang="en">/)
  expect(text).toContain('name="viewport"')
  expect(text).not.toMatch(/<script|javascript:| on\w+=| style=/i)
  const [style = ''] = matches(text, /<style>([\s\S]*?)<\/style>/g)
  const hash = createHash('sha256').update(style).digest('base64')
  const policy = headers.get('content-security-policy')
  expect(policy).toContain(`default-src 'none'; style-src 'sha256-${hash}';`)
  expect(policy).toContain("base-uri 'none'; frame-ancestors 'none'")
  expect(headers.get('cache-control')).toBe('no-store')
}

function matches(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, part = '']) => part)
}
