/** The look of every page, and the headers that keep it ours: no script, no frame, no cache. */

import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import { html, raw } from 'hono/html'
import type { HttpEnv } from './context.ts'

type Html = ReturnType<typeof html>

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5b6575; --paper: #fff; --ground: #f3f5f8;
  --line: #d9dee6; --accent: #2456c5; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf3; --soft: #9aa5b6; --paper: #1a2029;
  --ground: #11151b; --line: #2e3744; --accent: #7ea6ff; --on-accent: #10141a; } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
main { width: 100%; max-width: 30rem; padding: 2rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: .75rem }
h1 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.25 }
p { margin: 0 0 1rem } a { color: var(--accent) } .soft { color: var(--soft); font-size: .9rem }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0 0 1rem }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
label { display: block; margin-bottom: .35rem; font-weight: 600 }
input { width: 100%; padding: .6rem .75rem; border: 1px solid var(--soft); border-radius: .4rem;
  background: var(--paper); color: inherit; font: 1.25rem/1.2 ui-monospace, monospace;
  letter-spacing: .15em; text-transform: uppercase }
button { margin-top: 1rem; width: 100%; padding: .7rem; border: 0; border-radius: .4rem;
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600; cursor: pointer }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
[role=alert] { padding: .6rem .75rem; border-left: 4px solid #c0392b; background: var(--ground) }
code { overflow-wrap: anywhere }
`

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
  readonly status?: 200 | 400 | 403 | 404 | 410 | 422 | 429 | 502 | 503
}

/** Answers with a page; texts that are put into `html` templates are escaped there. */
export function page(
  c: Context<HttpEnv>,
  { title, body, status = 200 }: Page,
): Response | Promise<Response> {
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value)
  return c.html(
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body><main><h1>${title}</h1>${body}</main></body>
</html>`,
    status,
  )
}
