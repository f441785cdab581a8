/** `/key/:upstream/:state`: the form for an upstream API key, after the sign-in link. */

import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { basePathOf } from '../config/public-path.ts'
import type { KeyEntry, KeyOutcome } from '../session/key-entry.ts'
import { type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { HttpEnv } from './http-env.ts'
import { readBindingCookie, setBindingCookie, takeBindingCookie } from './pages/binding-cookie.ts'
import { clientNameOnPage } from './pages/client-name.ts'
import { formField } from './pages/own-forms.ts'
import { type Page, page } from './pages/pages.ts'

/** An upstream that users sign in to with an API key. */
export interface KeyPage {
  readonly entry: KeyEntry
  /** Host of the API, as shown to users. */
  readonly signsInAt: string
  /** Metric label; undefined for the first upstream. */
  readonly label: string | undefined
}

export interface KeyRoutesDeps {
  readonly publicUrl: string
  /** Pages by upstream name. */
  readonly keyPages: ReadonlyMap<string, KeyPage>
  readonly metrics: Pick<Metrics, 'signIn' | 'session'>
  /** Storage budget of a request; defaults to unlimited. */
  readonly storageOf?: (c: Context<HttpEnv>) => StorageBudget
}

export function keyRoutes(deps: KeyRoutesDeps): Hono<HttpEnv> {
  const { publicUrl, keyPages, metrics, storageOf = () => UNLIMITED } = deps
  const secure = publicUrl.startsWith('https:')
  const basePath = basePathOf(publicUrl)
  const routes = new Hono<HttpEnv>()
  const path = '/key/:upstream/:state'

  routes.get(path, async (c) => {
    const { upstream, state } = c.req.param()
    const found = keyPages.get(upstream)
    const cookie = (name: string) => readBindingCookie(c, name, secure, basePath)
    const view = await found?.entry.describe(state, cookie)
    if (found === undefined || view === undefined) return page(c, failed('unknown_state'))
    if (view.outcome !== 'ask') return page(c, failed(view.outcome))
    return page(c, keyPage(view.clientName, found.signsInAt, { action: '' }))
  })

  routes.post(path, async (c) => {
    const { upstream, state } = c.req.param()
    const found = keyPages.get(upstream)
    const key = (await formField(c.req, 'key')) ?? ''
    if (found === undefined) return page(c, failed('unknown_state'))
    const cookie = (name: string) => takeBindingCookie(c, name, secure, basePath)
    const taken = await found.entry.submit(state, key, cookie, storageOf(c))
    const { outcome, session } = taken
    metrics.signIn(metricOf(outcome), found.label)
    if (outcome === 'signed_in') metrics.session('authenticated')
    c.get('log').audit({ outcome, session, upstream }, 'sign-in')
    if (!('state' in taken)) return page(c, endPage(taken, found.signsInAt))
    setBindingCookie(c, taken.cookie)
    const again = {
      action: `${basePath}/key/${upstream}/${taken.state}`,
      problem: problemOf(taken.outcome, found.signsInAt),
      triesLeft: taken.triesLeft,
    }
    const status = taken.outcome === 'unavailable' ? 502 : 422
    return page(c, { ...keyPage(taken.clientName, found.signsInAt, again), status })
  })
  return routes
}

/** Maps to the outcomes of an OAuth sign-in, so that alerting rules cover key sign-ins too. */
function metricOf(outcome: KeyOutcome['outcome']): string {
  if (outcome === 'unavailable') return 'provider_unavailable'
  if (outcome === 'signed_in' || outcome === 'session_ended') return outcome
  return outcome === 'unknown_state' || outcome === 'other_browser' ? outcome : 'access_denied'
}

interface Form {
  /** Form action; empty for the current URL. */
  readonly action: string
  readonly problem?: string
  readonly triesLeft?: number
}

function keyPage(
  clientName: string,
  signsInAt: string,
  { action, problem, triesLeft }: Form,
): Page {
  const client = clientNameOnPage(clientName, 'An AI client')
  return {
    title: 'Paste your key',
    body: html`
    <p><strong>${client}</strong> asks to act for you at <strong>${signsInAt}</strong>.
      With your key it can read and do there what you can.</p>
    ${problem === undefined ? '' : html`<p role="alert">${problem} Tries left: ${triesLeft}.</p>`}
    <form method="post"${action === '' ? '' : html` action="${action}"`}>
      <label for="key">Your key for ${signsInAt}</label>
      <input id="key" name="key" type="password" required autofocus autocomplete="off"
        autocapitalize="off" spellcheck="false" aria-describedby="why">
      <div class="actions"><button>Continue</button></div>
    </form>
    <p class="notice" id="why">The key is checked once, and kept encrypted until you sign out. Neither
      your assistant nor the client sees it: paste it here, and never into a chat.</p>`,
  }
}

function problemOf(outcome: 'malformed' | 'refused' | 'unavailable', signsInAt: string): string {
  switch (outcome) {
    case 'malformed':
      return 'This is not a key: a key is a single word of letters, digits and punctuation.'
    case 'refused':
      return `${signsInAt} refuses this key. It may be mistyped or revoked, or lack permissions.`
    case 'unavailable':
      return `${signsInAt} does not answer, so the key could not be checked. Try again shortly.`
  }
}

function endPage(taken: KeyOutcome, signsInAt: string): Page {
  if (taken.outcome !== 'signed_in') return failed(taken.outcome)
  return {
    title: 'Key accepted',
    body: html`<p>${signsInAt} accepted your key, and
        ${clientNameOnPage(taken.clientName, 'your client')} can continue.</p>
      <p class="soft">You can close this page.</p>`,
  }
}

const FAILURES: Readonly<Record<string, readonly [NonNullable<Page['status']>, string]>> = {
  other_browser: [403, 'This sign-in was started in another browser, so it was stopped.'],
  session_ended: [410, 'The session this sign-in was for has ended.'],
  too_many_tries: [429, 'Too many keys were tried.'],
}

function failed(outcome: string): Page {
  const [status, what] = FAILURES[outcome] ?? [
    410,
    'This page is unknown, has expired, or was already used.',
  ]
  return {
    title: 'Sign-in failed',
    status,
    body: html`<p role="alert">${what}</p>
      <p>Ask your assistant to call <code>login</code> again for a new link.</p>`,
  }
}
