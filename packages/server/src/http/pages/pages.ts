/** Layout shared by all pages. */

import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { html, raw } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { HttpEnv } from '../http-env.ts'
import { LOGO_PATH } from './logo-route.ts'
import type { PageTheme } from './page-theme.ts'

export type Html = ReturnType<typeof html>

export interface Page {
  readonly title: string
  readonly body: Html | string
  readonly status?: ContentfulStatusCode
}

/** A page with information instead of a form; its title is the server's name. */
export interface WidePage {
  /** Introduction below the name. */
  readonly intro: Html | string
  /** Sections, each with a heading. */
  readonly body: Html | string
  /** Skip link: the id of the target section, and the link text. */
  readonly skipTo: { readonly id: string; readonly text: string }
}

/** Sets the theme for the pages of later handlers. */
export function pagesOf(theme: PageTheme): MiddlewareHandler<HttpEnv> {
  return (c, next) => {
    c.set('theme', theme)
    return next()
  }
}

/** Responds with a page; `html` templates escape interpolated text (XSS). */
export function page(
  c: Context<HttpEnv>,
  { title, body, status = 200 }: Page,
): Response | Promise<Response> {
  const { serverName } = c.get('theme')
  const content = html`<body>
${header(c.get('theme'), serverName)}
<main><h1>${title}</h1>${body}</main>`
  return answer(c, `${title} – ${serverName}`, content, status)
}

/** Responds with a page about the server itself. */
export function widePage(
  c: Context<HttpEnv>,
  { intro, body, skipTo }: WidePage,
): Response | Promise<Response> {
  const { serverName } = c.get('theme')
  const content = html`<body class="wide">
<a class="skip" href="#${skipTo.id}">${skipTo.text}</a>
${header(c.get('theme'), html`<div><h1>${serverName}</h1>${intro}</div>`)}
<main>${body}</main>`
  return answer(c, serverName, content, 200)
}

function answer(
  c: Context<HttpEnv>,
  title: string,
  content: Html,
  status: ContentfulStatusCode,
): Response | Promise<Response> {
  const { host, supportUrl, style, headers } = c.get('theme')
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
  return c.html(
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>${icon(c.get('theme'))}
<style>${raw(style)}</style>
</head>
${content}
<footer><span>${host}</span>${supportUrl === undefined ? '' : html`<a href="${supportUrl}">Help</a>`}</footer>
</body>
</html>`,
    status,
  )
}

/** Renders a page outside of the app, for plain Node handlers. */
export async function renderPage(
  theme: PageTheme,
  show: (c: Context<HttpEnv>) => Response | Promise<Response>,
): Promise<Response> {
  const pages = new Hono<HttpEnv>()
  pages.use(pagesOf(theme))
  pages.get('/', show)
  return pages.request('/')
}

/** The logo as the icon of the tab; without one, the CSP forbids images. */
function icon({ hasLogo, basePath }: PageTheme): Html | string {
  return hasLogo ? html`<link rel="icon" href="${basePath}${LOGO_PATH}">` : ''
}

/** Logo or initial, next to `content`, which has the name as text: the logo's `alt` stays empty. */
function header({ serverName, hasLogo, basePath }: PageTheme, content: Html | string): Html {
  if (hasLogo) return html`<header><img src="${basePath}${LOGO_PATH}" alt="">${content}</header>`
  return html`<header data-initial="${initial(serverName)}">${content}</header>`
}

/** The letter shown without a logo. */
function initial(name: string): string {
  return [...name.toUpperCase()].find((character) => /[\p{L}\p{N}]/u.test(character)) ?? ''
}
