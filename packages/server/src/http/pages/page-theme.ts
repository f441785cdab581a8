/** What all pages share: the server's name, its style, and the headers that keep them ours. */

import { createHash } from 'node:crypto'
import type { Logo } from '../../config/logo-file.ts'
import { basePathOf } from '../../config/public-path.ts'
import { pageStyle } from './page-style.ts'

export interface PageTheme {
  readonly serverName: string
  /** Where people are, as they see it in the address bar. */
  readonly host: string
  readonly supportUrl: string | undefined
  /** Whether `/logo` is shown instead of an initial. */
  readonly hasLogo: boolean
  /** The path that the server is below, or empty. */
  readonly basePath: string
  readonly style: string
  /** No script, no frame, no cache. */
  readonly headers: Readonly<Record<string, string>>
}

export interface PageThemeOptions {
  readonly name: string
  readonly publicUrl: string
  /** The accent: six hexadecimal digits after `#`. */
  readonly color: string
  readonly supportUrl?: string
  readonly logo?: Logo | undefined
}

/** Made once: the style follows from the colour, and the policy from the style and the logo. */
export function createPageTheme({
  name,
  publicUrl,
  color,
  supportUrl,
  logo,
}: PageThemeOptions): PageTheme {
  const style = pageStyle(color)
  const hasLogo = logo !== undefined
  const headers = headersOf(style, hasLogo)
  const { host } = new URL(publicUrl)
  const basePath = basePathOf(publicUrl)
  return { serverName: name, host, basePath, supportUrl, hasLogo, style, headers }
}

/**
 * No `form-action`: browsers apply it to the redirect that follows a post too, which leads to the
 * identity provider. `same-origin` referrers, since `no-referrer` turns a form's Origin into `null`.
 */
function headersOf(style: string, hasLogo: boolean): Readonly<Record<string, string>> {
  const hash = createHash('sha256').update(style).digest('base64')
  const images = hasLogo ? " img-src 'self';" : ''
  return {
    'content-security-policy': `default-src 'none'; style-src 'sha256-${hash}';${images} base-uri 'none'; frame-ancestors 'none'`,
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  }
}
