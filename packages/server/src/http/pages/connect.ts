/**
 * `/connect/:handle`: confirms that the sign-in belongs to the user, by the code from the chat, or
 * by a click in the browser that authorized the client. Prevents session fixation: an attacker's
 * link must not sign the victim in to the attacker's session.
 */

import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { basePathOf } from '../../config/public-path.ts'
import type { LinkForBrowser, SignIn } from '../../session/sign-in.ts'
import type { SignInProof } from '../../session/sign-in-proof.ts'
import { type StorageBudget, UNLIMITED } from '../../store/storage-budget.ts'
import { ProviderError } from '../../upstream/identity-provider.ts'
import type { HttpEnv } from '../http-env.ts'
import { setBindingCookie } from './binding-cookie.ts'
import { knownBrowser } from './browser-cookie.ts'
import { clientNameOnPage } from './client-name.ts'
import { formField } from './own-forms.ts'
import { type Page, page } from './pages.ts'
import { timeOnPage } from './relative-time.ts'

export interface ConnectOptions {
  readonly publicUrl: string
  /** Host of the sign-in page, as shown to users. */
  readonly signsInAt: string
  /** Lifetime of a sign-in link, shown to users if given. */
  readonly linkTtlSeconds?: number
  /** Unix time in milliseconds. */
  readonly now: () => number
  /** Storage budget of a request; defaults to unlimited. */
  readonly storageOf?: (c: Context<HttpEnv>) => StorageBudget
}

export function connectRoutes(signIn: SignIn, options: ConnectOptions): Hono<HttpEnv> {
  const { publicUrl, storageOf = () => UNLIMITED } = options
  const secure = publicUrl.startsWith('https:')
  const basePath = basePathOf(publicUrl)
  const routes = new Hono<HttpEnv>()

  routes.get('/connect/:handle', async (c) => {
    const link = await signIn.describe(c.req.param('handle'), knownBrowser(c, secure, basePath))
    return page(c, link === undefined ? VOID : signInPage(link, options))
  })

  routes.post('/connect/:handle', async (c) => {
    const handle = c.req.param('handle')
    const browser = knownBrowser(c, secure, basePath)
    // Throws before the attempt is counted, if the request is not our form.
    const code = await formField(c.req, 'code')
    const link = await signIn.describe(handle, browser)
    if (link === undefined) return page(c, VOID)
    const proof = code === null ? { browser } : { code }
    const confirmed = await confirm(signIn, handle, proof, storageOf(c))
    if (confirmed.outcome !== 'redirect') {
      return page(c, unconfirmedPage(confirmed, link, options))
    }
    setBindingCookie(c, confirmed.cookie)
    c.header('cache-control', 'no-store')
    return c.redirect(confirmed.url.href, 303)
  })
  return routes
}

type Confirmed = Awaited<ReturnType<typeof confirm>>

async function confirm(signIn: SignIn, handle: string, proof: SignInProof, storage: StorageBudget) {
  try {
    return await signIn.confirm(handle, proof, storage)
  } catch (error) {
    if (error instanceof ProviderError) return { outcome: 'provider_error', error } as const
    throw error
  }
}

/** Asks again, and says why. */
function unconfirmedPage(
  confirmed: Exclude<Confirmed, { readonly outcome: 'redirect' }>,
  link: LinkForBrowser,
  options: ConnectOptions,
): Page {
  switch (confirmed.outcome) {
    case 'wrong_code': {
      const problem = `That is not the code from your chat. Tries left: ${confirmed.triesLeft}.`
      return { ...signInPage(link, options, problem), status: 422 }
    }
    case 'code_needed': {
      const coded = { ...link, needsCode: true }
      return { ...signInPage(coded, options, 'Enter the code to continue.'), status: 403 }
    }
    case 'provider_error':
      return { ...signInPage(link, options, confirmed.error.message), status: 502 }
    case 'void':
      return VOID
  }
}

function signInPage(
  link: LinkForBrowser,
  { signsInAt, linkTtlSeconds, now }: ConnectOptions,
  problem?: string,
): Page {
  const shown = { signsInAt, ...link, linkTtlSeconds, now: now() }
  return { title: 'Sign in', body: form(shown, problem) }
}

const VOID = {
  title: 'This link has expired or was already used',
  status: 410,
  body: html`<p>A sign-in link works once, and only for a short time. Ask your assistant to call
    <code>login</code> again for a new one.</p>`,
} as const

interface ShownLink extends LinkForBrowser {
  readonly signsInAt: string
  readonly linkTtlSeconds: number | undefined
  /** Unix time in milliseconds. */
  readonly now: number
}

function form(link: ShownLink, problem?: string) {
  const { since, needsCode, signsInAt, linkTtlSeconds, now } = link
  const clientName = clientNameOnPage(link.clientName, 'An AI client')
  const expiresAt = since.getTime() + (linkTtlSeconds ?? 0) * 1000
  return html`
    <p><strong>${clientName}</strong> asks to act for you at <strong>${signsInAt}</strong>.
      If you continue, it can read and do there what you can.</p>
    <dl><dt>Requested by</dt><dd>${clientName}</dd>
      <dt>Requested</dt><dd>${timeOnPage(since.getTime(), now)}</dd>
      ${linkTtlSeconds === undefined ? '' : html`<dt>Link expires</dt><dd>${timeOnPage(expiresAt, now)}</dd>`}
      <dt>Leads to</dt><dd>${signsInAt}</dd></dl>
    ${problem === undefined ? '' : html`<p role="alert">${problem}</p>`}
    ${needsCode ? CODE_FORM : CONTINUE_FORM}`
}

const CODE_FORM = html`<form method="post">
    <label for="code">Code from your chat</label>
    <input id="code" name="code" required autofocus autocomplete="one-time-code"
      autocapitalize="characters" spellcheck="false" maxlength="12" aria-describedby="why">
    <div class="actions"><button>Continue to sign in</button></div>
  </form>
  <p class="notice" id="why">Continue only if your own assistant showed you this code. Anybody who sent you
    a link or read a code out to you may be trying to use your account.</p>`

/**
 * No code: this browser authorized the client, so the link is the user's own. No autofocus: a page
 * that navigates here while a key is held down must not activate it (cross-window forgery).
 */
const CONTINUE_FORM = html`<form method="post">
    <div class="actions"><button aria-describedby="why">Continue</button></div>
  </form>
  <p class="soft" id="why">You authorized this client in this browser, so no code is needed. Continue
    only if you asked your assistant to sign in.</p>`
