/** Theme of all pages: server name, style, and security headers (CSP, clickjacking). */

import { createHash } from 'node:crypto'
import type { Logo } from '../../config/logo-file.ts'
import { basePathOf } from '../../config/public-path.ts'
import { pageStyle } from './page-style.ts'

export interface PageThemeOptions {
  readonly name: string
  readonly publicUrl: string
  /** The accent: six hexadecimal digits after `#`. */
  readonly color: string
  readonly supportUrl?: string
  readonly logo?: Logo | undefined
  /** Whether there is a landing page. */
  readonly landingPage?: boolean
}

export type PageTheme = ReturnType<typeof createPageTheme>

/** Creates the theme once: the style depends on the colour, the CSP on the style and the logo. */
export function createPageTheme({
  name,
  publicUrl,
  color,
  supportUrl,
  logo,
  landingPage = false,
}: PageThemeOptions) {
  const style = pageStyle(color)
  const hasLogo = logo !== undefined
  const headers = headersOf(style, hasLogo)
  const { host } = new URL(publicUrl)
  const basePath = basePathOf(publicUrl)
  const home = landingPage ? `${basePath}/` : undefined
  return {
    serverName: name,
    /** Host of this server, as in the address bar. */
    host,
    /** Base path of the server, or empty. */
    basePath,
    /** Path of the landing page; undefined without one. */
    home,
    supportUrl,
    /** Whether pages show `/logo` instead of an initial. */
    hasLogo,
    style,
    /** Security headers: forbid scripts, framing and caching. */
    headers,
  }
}

/**
 * The CSP omits `form-action`, which browsers also apply to the redirect after a POST, here to the
 * identity provider. Referrer policy `same-origin`: `no-referrer` would send a form's Origin as
 * `null`.
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
