/** `/consent/:uid`: where a person lets a client in, or does not. */

import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { html } from 'hono/html'
import { describeTarget, type RedirectTarget } from '../auth/redirect-uris.ts'
import type { ConsentRequest, Consents } from '../auth/server/consents.ts'
import { AppError } from '../errors.ts'
import type { HttpEnv } from './context.ts'
import { ownForms } from './own-forms.ts'
import { page } from './pages.ts'

const formLimit = bodyLimit({
  maxSize: 4096,
  onError() {
    throw new AppError('payload_too_large', 'The form is too long.')
  },
})

/** Names are the client's own choice: no more of them than fits on the page. */
const LONGEST_NAME = 80

/** The pages of the built-in authorization server; `publicUrl` is where their forms come from. */
export function consentRoutes(consents: Consents, publicUrl: string): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()
  const { host } = new URL(publicUrl)
  const visit = (c: Context<HttpEnv>) => ({
    request: c.env.incoming,
    response: c.env.outgoing,
  })

  routes.get('/consent/:uid', async (c) => {
    const asked = await consents.find(visit(c), c.req.param('uid'))
    if (asked === undefined) return page(c, OVER)
    return page(c, { title: 'Let this client in?', body: form(asked, host) })
  })

  routes.post('/consent/:uid', ownForms(publicUrl), formLimit, async (c) => {
    const uid = c.req.param('uid')
    const decision = new URLSearchParams(await c.req.text()).get('decision')
    c.header('cache-control', 'no-store')
    if (decision === 'allow') {
      const approval = await consents.approve(visit(c), uid)
      c.get('log').info({ approved: approval !== undefined }, 'consent')
      return approval === undefined ? page(c, OVER) : c.redirect(approval.next, 303)
    }
    if (decision !== 'deny') throw new AppError('invalid_request', 'Use the form on the page.')
    const next = await consents.deny(visit(c), uid)
    return next === undefined ? page(c, OVER) : c.redirect(next, 303)
  })
  return routes
}

const OVER = {
  title: 'This request is over',
  status: 410,
  body: html`<p>It was answered already, took too long, or was begun in another browser. Go back to
    your client and connect again.</p>`,
} as const

function form({ clientName, clientHost, redirectUri, scopes }: ConsentRequest, host: string) {
  const name = (clientName ?? clientHost ?? 'A client without a name').slice(0, LONGEST_NAME)
  const target = describeTarget(redirectUri)
  return html`<p><strong>${name}</strong> wants to use <strong>${host}</strong> in your name.</p>
    <dl><dt>Client</dt><dd>${name}</dd>
      ${clientHost === undefined ? '' : html`<dt>Published by</dt><dd>${clientHost}</dd>`}
      <dt>Sends you back to</dt><dd>${nameOf(target)}</dd></dl>
    <h2>It may</h2>
    <ul class="scopes">${scopes.map((scope) => html`<li><code>${scope}</code></li>`)}</ul>
    <p class="notice">${warning(target, clientHost)}</p>
    <form method="post"><div class="actions">
      <button name="decision" value="allow">Allow</button>
      <button name="decision" value="deny" class="secondary">Deny</button></div></form>
    <p class="soft">Go on only if you have just connected this client yourself.</p>`
}

function nameOf(target: RedirectTarget): string {
  switch (target.kind) {
    case 'https':
      return target.host
    case 'loopback':
      return `an app on this computer (${target.host})`
    case 'app':
      return `an app on this computer (${target.scheme}:)`
  }
}

function warning(target: RedirectTarget, clientHost: string | undefined): string {
  if (target.kind !== 'https') {
    return 'Any app on this computer can say that it is this client. Nobody has checked it.'
  }
  return clientHost === target.host
    ? `Whoever runs ${target.host} gets access.`
    : `Nobody has checked that this client is what it says. Whoever runs ${target.host} gets access.`
}
