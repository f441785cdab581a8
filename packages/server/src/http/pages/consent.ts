/** `/consent/:uid`: the user grants or denies a client's authorization request. */

import { type Context, Hono } from 'hono'
import type { Approved, Consents, SessionChoice } from '../../auth/server/consents.ts'
import { basePathOf } from '../../config/public-path.ts'
import { AppError } from '../../errors.ts'
import type { AuthorizedClients } from '../../session/authorized-clients.ts'
import type { SessionManager } from '../../session/manager.ts'
import type { SignIn } from '../../session/sign-in.ts'
import { type StorageBudget, UNLIMITED } from '../../store/storage-budget.ts'
import { ProviderError } from '../../upstream/identity-provider.ts'
import type { HttpEnv } from '../http-env.ts'
import { setBindingCookie } from './binding-cookie.ts'
import { browserCookie, knownBrowser } from './browser-cookie.ts'
import { askPage, nameOfClient, OVER, SCOPE_WORDS, signInPage } from './consent-pages.ts'
import { formField } from './own-forms.ts'
import { page } from './pages.ts'

export interface ConsentDeps {
  readonly consents: Pick<Consents, 'find' | 'approve' | 'deny'>
  readonly signIn: Pick<SignIn, 'begin'>
  readonly sessions: Pick<SessionManager, 'update'>
  readonly authorizedClients: Pick<AuthorizedClients, 'remember'>
  /** Storage budget of a request; defaults to unlimited. */
  readonly storageOf?: (c: Context<HttpEnv>) => StorageBudget
  /** Unix time in milliseconds. */
  readonly now: () => number
}

export interface ConsentOptions {
  /** Base URL of the pages. */
  readonly publicUrl: string
  /** Host of the sign-in page, as shown to users. */
  readonly signsInAt: string
  /** Descriptions of scopes, instead of the default; scopes without one are shown by name. */
  readonly scopeWords?: Readonly<Record<string, string>> | undefined
  /** Lifetime of the known-browser cookie. */
  readonly browserTtlSeconds: number
}

/** Approximate storage of one consent: session, approval, grant, code and authorized client. */
const CONSENT_BYTES = 4096

/** Form values of the approving buttons. */
const CHOICES = new Map<string | null, SessionChoice>([
  ['allow', 'default'],
  ['continue', 'continue'],
  ['anew', 'anew'],
])

/** The consent pages of the built-in authorization server. */
export function consentRoutes(deps: ConsentDeps, options: ConsentOptions): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()
  const approve = createApprove(deps, options)
  const { consents, now } = deps
  const { publicUrl, signsInAt, scopeWords = SCOPE_WORDS } = options
  const { host } = new URL(publicUrl)
  const browserOf = createBrowserOf(publicUrl)

  routes.get('/consent/:uid', async (c) => {
    const consent = await consents.find(visit(c), c.req.param('uid'), browserOf(c))
    c.header('cache-control', 'no-store')
    switch (consent?.step) {
      case undefined:
        return page(c, OVER)
      case 'ask':
        return consent.request.isSkipped
          ? approve(c, c.req.param('uid'), 'default')
          : page(c, askPage(consent.request, { host, scopeWords, now: now() }))
      case 'sign_in':
        return page(c, signInPage(consent.request, names(c, signsInAt), c.req.query('sign_in')))
      case 'done':
        return c.redirect(consent.next, 303)
    }
  })

  routes.post('/consent/:uid', async (c) => {
    const uid = c.req.param('uid')
    const decision = await formField(c.req, 'decision')
    c.header('cache-control', 'no-store')
    const choice = CHOICES.get(decision)
    if (choice !== undefined) return approve(c, uid, choice)
    if (decision !== 'deny') throw new AppError('invalid_request', 'Use the form on the page.')
    const next = await consents.deny(visit(c), uid)
    return next === undefined ? page(c, OVER) : c.redirect(next, 303)
  })
  return routes
}

/** Approves, then redirects to the client, or to the identity provider if a sign-in is due. */
function createApprove(
  { consents, signIn, sessions, authorizedClients, storageOf = () => UNLIMITED }: ConsentDeps,
  { publicUrl, signsInAt, browserTtlSeconds }: ConsentOptions,
) {
  const secure = isSecure(publicUrl)
  const basePath = basePathOf(publicUrl)
  const cookie = { secure, basePath, maxAgeSeconds: browserTtlSeconds }
  const browserOf = createBrowserOf(publicUrl)

  /** The identity provider returns the browser to this page. */
  async function leaveToSignIn(c: Context<HttpEnv>, consent: Approved & { step: 'sign_in' }) {
    const { request, sessionId } = consent
    const clientName = nameOfClient(request)
    try {
      const purpose = { sessionId, clientName, returnTo: basePath + c.req.path }
      const departure = await signIn.begin(purpose, storageOf(c))
      setBindingCookie(c, departure.cookie)
      return c.redirect(departure.url.href, 303)
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      return page(c, signInPage(request, names(c, signsInAt), error.code))
    }
  }

  return async (c: Context<HttpEnv>, uid: string, choice: SessionChoice) => {
    await storageOf(c).spend(CONSENT_BYTES)
    const approval = await consents.approve(visit(c), uid, browserOf(c), choice)
    c.get('log').info({ approved: approval !== undefined, step: approval?.step }, 'consent')
    if (approval === undefined) return page(c, OVER)
    // Known browser: from now on, sign-in links of this session need no code here.
    const browser = browserCookie(c, cookie)
    await sessions.update(approval.sessionId, 'browser', browser)
    await authorizedClients.remember(browser, approval.sessionId)
    if (approval.step === 'sign_in') return leaveToSignIn(c, approval)
    return c.redirect(approval.next, 303)
  }
}

function visit({ env }: Context<HttpEnv>) {
  return { request: env.incoming, response: env.outgoing }
}

function names(c: Context<HttpEnv>, signsInAt: string) {
  return { signsInAt, serverName: c.get('theme').serverName }
}

function isSecure(publicUrl: string): boolean {
  return publicUrl.startsWith('https:')
}

function createBrowserOf(publicUrl: string) {
  const basePath = basePathOf(publicUrl)
  return (c: Context<HttpEnv>) => knownBrowser(c, isSecure(publicUrl), basePath)
}
