/** `/account`: people narrow and revoke the access of clients, and make personal access tokens. */

import { type Context, Hono } from 'hono'
import { basePathOf } from '../../config/public-path.ts'
import { AppError } from '../../errors.ts'
import type { Account, Visitor } from '../../session/account.ts'
import { type AccountVisits, VISIT_TTL_SECONDS } from '../../session/account-visits.ts'
import type { NewToken } from '../../session/personal-tokens.ts'
import type { SignIn } from '../../session/sign-in.ts'
import type { StorageBudget } from '../../store/storage-budget.ts'
import { ProviderError } from '../../upstream/identity-provider.ts'
import type { HttpEnv } from '../http-env.ts'
import { type AccountCookie, createAccountCookie } from './account-cookie.ts'
import { accountPage, type Notice, noticeOf, tokenPage } from './account-page.ts'
import { setBindingCookie } from './binding-cookie.ts'
import { knownBrowser } from './browser-cookie.ts'
import { SCOPE_WORDS } from './consent-pages.ts'
import { formFields, singleField } from './own-forms.ts'
import { page, widePage } from './pages.ts'

export interface AccountRoutesDeps {
  readonly account: Account
  readonly visits: AccountVisits
  readonly signIn: Pick<SignIn, 'begin'>
  /** Storage budget of a request. */
  readonly storageOf: (c: Context<HttpEnv>) => StorageBudget
}

export interface AccountRoutesOptions {
  /** Base URL of the pages. */
  readonly publicUrl: string
  /** Descriptions of scopes; scopes without one are shown by name. */
  readonly scopeWords?: Readonly<Record<string, string>> | undefined
}

/** Approximate storage of a visit: its session, and the pending sign-in. */
const VISIT_BYTES = 2048

const DAY_SECONDS = 24 * 60 * 60

type Act = (c: Context<HttpEnv>, visitor: Visitor, fields: URLSearchParams) => Promise<Response>

export function accountRoutes(
  deps: AccountRoutesDeps,
  { publicUrl, scopeWords = SCOPE_WORDS }: AccountRoutesOptions,
): Hono<HttpEnv> {
  const { account, visits } = deps
  const basePath = basePathOf(publicUrl)
  const secure = publicUrl.startsWith('https:')
  const cookie = createAccountCookie({ secure, basePath })

  async function visitorOf(c: Context<HttpEnv>): Promise<Visitor> {
    const browser = knownBrowser(c, secure, basePath)
    return { visit: await visits.find(cookie.read(c)), browser }
  }

  async function show(c: Context<HttpEnv>, visitor: Visitor, notice: Notice | undefined) {
    const { signsInAt, personalTokens } = account
    const view = await account.view(visitor)
    return widePage(c, accountPage(view, { signsInAt, personalTokens, scopeWords, notice }))
  }

  const actions = createActions(deps, { path: `${basePath}/account`, cookie, show })
  const routes = new Hono<HttpEnv>()
  routes.get('/account', async (c) => {
    const { done, sign_in: signIn } = c.req.query()
    return show(c, await visitorOf(c), noticeOf({ done, signIn }))
  })
  routes.post('/account', async (c) => {
    const fields = await formFields(c.req)
    const action = singleField(fields, 'action') ?? ''
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined
    if (act === undefined) throw new AppError('invalid_request', 'Use the form on the page.')
    c.header('cache-control', 'no-store')
    return act(c, await visitorOf(c), fields)
  })
  return routes
}

interface ActionParts {
  /** The path of the page. */
  readonly path: string
  readonly cookie: AccountCookie
  readonly show: (c: Context<HttpEnv>, visitor: Visitor, notice?: Notice) => Promise<Response>
}

/** What the forms of the page do, by the value of their field `action`. */
function createActions(
  { account, visits, signIn, storageOf }: AccountRoutesDeps,
  { path, cookie, show }: ActionParts,
): Readonly<Record<string, Act>> {
  /** Redirects to the page (post/redirect/get), which shows a sentence for the code. */
  const back = (c: Context<HttpEnv>, done: string) => c.redirect(`${path}?done=${done}`, 303)

  return {
    /** Redirects to the identity provider, which returns the browser to this page. */
    async sign_in(c, visitor) {
      if (account.signsInAt === undefined) return back(c, 'no_sign_in')
      await storageOf(c).spend(VISIT_BYTES)
      const { cookie: value, sessionId } = await visits.start()
      const purpose = { sessionId, clientName: c.get('theme').serverName, returnTo: path }
      try {
        const departure = await signIn.begin(purpose, storageOf(c))
        cookie.set(c, value, VISIT_TTL_SECONDS)
        setBindingCookie(c, departure.cookie)
        return c.redirect(departure.url.href, 303)
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error
        return show(c, visitor, noticeOf({ signIn: error.code }))
      }
    },
    async sign_out(c, visitor) {
      await account.leave(visitor)
      cookie.clear(c)
      return back(c, 'signed_out')
    },
    async remove(c, visitor, fields) {
      return back(c, (await account.remove(visitor, idIn(fields))) ? 'removed' : 'unknown')
    },
    async narrow(c, visitor, fields) {
      const isDone = await account.narrow(visitor, idIn(fields), fields.getAll('scope'))
      return back(c, isDone ? 'narrowed' : 'unknown')
    },
    async sign_out_upstream(c, visitor, fields) {
      const upstream = singleField(fields, 'upstream') ?? ''
      const isDone = await account.signOutOf(visitor, idIn(fields), upstream)
      return back(c, isDone ? 'signed_out_upstream' : 'unknown')
    },
    async make_token(c, visitor, fields) {
      const made = await account.makeToken(visitor, tokenIn(fields))
      return typeof made === 'string' ? back(c, made) : page(c, tokenPage(made.token, path))
    },
  }
}

function idIn(fields: URLSearchParams): string {
  return singleField(fields, 'id') ?? ''
}

/** A lifetime that is not a number of days becomes NaN, which is refused as out of range. */
function tokenIn(fields: URLSearchParams): NewToken {
  const days = singleField(fields, 'days') ?? ''
  return {
    name: singleField(fields, 'name') ?? '',
    scopes: fields.getAll('scope'),
    ttlSeconds: /^\d{1,3}$/.test(days) ? Number(days) * DAY_SECONDS : Number.NaN,
  }
}
