/**
 * `/callback`, `/callback/:upstream` and `/redirect`: redirect URIs for the identity providers, one
 * for each (mix-up attacks).
 */

import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { basePathOf } from '../../config/public-path.ts'
import { type AuditSubject, auditedSubject } from '../../engine/audit-subject.ts'
import type { FinishOutcome, SignIn } from '../../session/sign-in.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { HttpEnv } from '../http-env.ts'
import { takeBindingCookie } from './binding-cookie.ts'
import { clientNameOnPage } from './client-name.ts'
import { type Page, page } from './pages.ts'

export interface CallbackNames {
  /** Name of the first upstream, if there are several. */
  readonly first?: string | undefined
  /** Names of the other upstreams. */
  readonly names?: readonly string[]
  /** How the audit log names the person; not at all if left out. */
  readonly auditSubject?: AuditSubject
}

export function callbackRoutes(
  signIn: SignIn,
  publicUrl: string,
  metrics: Pick<Metrics, 'signIn' | 'session'>,
  { first, names = [], auditSubject }: CallbackNames = {},
): Hono<HttpEnv> {
  const secure = publicUrl.startsWith('https:')
  const basePath = basePathOf(publicUrl)

  /** @param upstream the further upstream of this redirect URI (mix-up attack defence) */
  async function callback(c: Context<HttpEnv>, upstream?: string) {
    const { search } = new URL(c.req.url)
    const path = upstream === undefined ? '/callback' : `/callback/${upstream}`
    const returned = new URL(`${publicUrl}${path}${search}`)
    const cookie = (name: string) => takeBindingCookie(c, name, secure, basePath)
    const finished = await signIn.finish(returned, cookie, upstream)
    const outcome = outcomeOf(finished)
    metrics.signIn(outcome, upstream)
    if (outcome === 'signed_in') metrics.session('authenticated')
    const person =
      'subject' in finished ? auditedSubject(auditSubject, finished.subject) : undefined
    const facts = { outcome, session: finished.session, upstream: upstream ?? first }
    c.get('log').audit({ ...facts, ...(person !== undefined && { subject: person }) }, 'sign-in')
    const next = wayBack(finished, publicUrl)
    if (next === undefined) return page(c, pageFor(finished, c.get('theme').serverName))
    c.header('cache-control', 'no-store')
    return c.redirect(next, 303)
  }

  const routes = new Hono<HttpEnv>()
  routes.get('/callback', (c) => callback(c))
  routes.get('/redirect', (c) => callback(c))
  routes.get('/callback/:upstream', (c) => {
    const { upstream } = c.req.param()
    if (upstream === first) return callback(c)
    return names.includes(upstream) ? callback(c, upstream) : c.notFound()
  })
  return routes
}

function outcomeOf(finished: FinishOutcome): string {
  return finished.outcome === 'provider_error' ? finished.error.code : finished.outcome
}

/**
 * Return URL of a sign-in that began on the consent page. The parameter `sign_in` carries the error
 * code for that page; success has no parameter, because a query can be forged: the page checks the
 * session.
 */
function wayBack(finished: FinishOutcome, publicUrl: string): string | undefined {
  if (!('returnTo' in finished) || finished.returnTo === undefined) return undefined
  const next = new URL(finished.returnTo, publicUrl)
  if (finished.outcome === 'session_ended') next.searchParams.set('sign_in', 'session_ended')
  if (finished.outcome === 'provider_error') next.searchParams.set('sign_in', finished.error.code)
  return next.href
}

function pageFor(finished: FinishOutcome, serverName: string): Page {
  switch (finished.outcome) {
    case 'signed_in':
      return {
        title: 'Login successful',
        body: html`<p>${finished.name === undefined ? 'You are' : html`<strong>${finished.name}</strong>, you are`}
          signed in, and ${clientNameOnPage(finished.clientName, 'your client')} can continue.</p>
          <p class="soft">You can close this page.</p>`,
      }
    case 'unknown_state':
      return failed(400, 'This sign-in is unknown, has expired, or was already completed.')
    case 'other_browser':
      return failed(403, 'This sign-in was started in another browser, so it was stopped.')
    case 'session_ended':
      return failed(410, 'The session this sign-in was for has ended.')
    case 'provider_error':
      if (finished.error.code === 'account_refused') return refusedPage(serverName)
      // The user declined: not a server error.
      return failed(finished.error.code === 'access_denied' ? 403 : 502, finished.error.message)
  }
}

/** Page for an account that `UPSTREAM_ALLOW` does not list. */
function refusedPage(serverName: string): Page {
  return {
    title: 'Account not allowed',
    status: 403,
    body: html`<p role="alert">This account is not allowed to use <strong>${serverName}</strong>.
        No data of the account was stored.</p>
      <p>To sign in with another account, ask your assistant to call <code>login</code> again. For
        access, ask the operator of this server.</p>`,
  }
}

function failed(status: NonNullable<Page['status']>, what: string): Page {
  return {
    title: 'Sign-in failed',
    status,
    body: html`<p role="alert">${what}</p>
      <p>Ask your assistant to call <code>login</code> again for a new link.</p>`,
  }
}
