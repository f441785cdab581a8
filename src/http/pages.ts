/** The look of every page, and the headers that keep it ours: no script, no frame, no cache. */

import { createHash } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { html, raw } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { HttpEnv } from './context.ts'
import { STYLE } from './page-style.ts'

type Html = ReturnType<typeof html>

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/**
 * No `form-action`: browsers apply it to the redirect that follows a post too, which leads to the
 * identity provider. `same-origin` referrers, since `no-referrer` turns a form's Origin into `null`.
 */
const HEADERS = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'`,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
}

export interface Page {
  readonly title: string
  readonly body: Html | string
  readonly status?: ContentfulStatusCode
}

/** Puts the server's name at the top of the pages that follow. */
export function pagesOf(serverName: string): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    c.set('serverName', serverName)
    await next()
  }
}

/** From here on failures are told on a page. */
export const forPeople: MiddlewareHandler<HttpEnv> = async (c, next) => {
  c.set('forPeople', true)
  await next()
}

/** Answers with a page; texts that are put into `html` templates are escaped there. */
export function page(
  c: Context<HttpEnv>,
  { title, body, status = 200 }: Page,
): Response | Promise<Response> {
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value)
  const server = c.get('serverName') ?? title
  const named = server !== title
  return c.html(
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${named ? `${title} – ${server}` : title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>${named ? html`<header>${server}</header>` : ''}<main><h1>${title}</h1>${body}</main></body>
</html>`,
    status,
  )
}
