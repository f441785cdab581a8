/** The demo provider's two pages: sign-in, and errors. */

import { createHash } from 'node:crypto'
import { STYLE } from './demo-page-style.ts'
import type { Person } from './people.ts'

/**
 * Headers of both pages. No `form-action` in the CSP: it also applies to the redirect after the
 * form, which leaves this origin.
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'content-type': 'text/html; charset=utf-8',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

/** One button per demo account, and one to cancel. */
export function signInPage(people: readonly Person[]): string {
  const buttons = people.map(
    ({ id, name, email }) =>
      `<button name="person" value="${escapeHtml(id)}">${escapeHtml(name)} <small>${escapeHtml(email)}</small></button>`,
  )
  return page(
    'Who are you?',
    `<p>For development: there is no password. Choose a person.</p>
<form method="post">
${buttons.join('\n')}
<button name="cancel" value="yes" class="cancel">Cancel</button>
</form>`,
  )
}

/** `error` is the OAuth error code. */
export function errorPage(error: string, description: string | undefined): string {
  return page(
    'Sign-in failed',
    `<p>${escapeHtml(description ?? error)}</p><p class="soft">${escapeHtml(error)}</p>`,
  )
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – demo sign-in</title>
<style>${STYLE}</style>
</head>
<body>
<header>Demo sign-in</header>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
