/** `/connect/:handle`: where a person says, with the code from the chat, that the sign-in is theirs. */

import { Hono, type HonoRequest } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { html } from 'hono/html'
import { AppError } from '../errors.ts'
import type { SignIn } from '../session/sign-in.ts'
import type { SignInLinkFacts } from '../session/sign-in-link.ts'
import { ProviderError } from '../upstream/identity-provider.ts'
import { setBindingCookie } from './binding-cookie.ts'
import type { HttpEnv } from './context.ts'
import { page } from './pages.ts'

const formLimit = bodyLimit({
  maxSize: 4096,
  onError() {
    throw new AppError('payload_too_large', 'The form is too long.')
  },
})

/** `signsInAt` is the host people will be sent to, as they know it. */
export function connectRoutes(signIn: SignIn, signsInAt: string): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()

  routes.get('/connect/:handle', async (c) => {
    const link = await signIn.links.describe(c.req.param('handle'))
    if (link === undefined) return page(c, VOID)
    return page(c, { title: 'Sign in', body: form(link, signsInAt) })
  })

  routes.post('/connect/:handle', formLimit, async (c) => {
    const handle = c.req.param('handle')
    const code = await readCode(c.req)
    const link = await signIn.links.describe(handle)
    if (link === undefined) return page(c, VOID)
    const confirmed = await confirm(signIn, handle, code)
    switch (confirmed.outcome) {
      case 'redirect':
        setBindingCookie(c, confirmed.cookie)
        c.header('cache-control', 'no-store')
        return c.redirect(confirmed.url.href, 303)
      case 'wrong_code': {
        const problem = `That is not the code from your chat. Tries left: ${confirmed.triesLeft}.`
        return page(c, { title: 'Sign in', status: 422, body: form(link, signsInAt, problem) })
      }
      case 'provider_error': {
        const body = form(link, signsInAt, confirmed.error.message)
        return page(c, { title: 'Sign in', status: 502, body })
      }
      case 'void':
        return page(c, VOID)
    }
  })
  return routes
}

/** The page's form comes in one way; anything else does not count as a try. */
async function readCode(request: HonoRequest): Promise<string> {
  const [type = ''] = (request.header('content-type') ?? '').toLowerCase().split(';', 1)
  if (type.trim() !== 'application/x-www-form-urlencoded') {
    throw new AppError('unsupported_media_type', 'Use the form on the page.')
  }
  return new URLSearchParams(await request.text()).get('code') ?? ''
}

async function confirm(signIn: SignIn, handle: string, code: string) {
  try {
    return await signIn.confirm(handle, code)
  } catch (error) {
    if (error instanceof ProviderError) return { outcome: 'provider_error', error } as const
    throw error
  }
}

const VOID = {
  title: 'This link is no longer good',
  status: 410,
  body: html`<p>Sign-in links work once and for a short time. Ask your assistant to call
    <code>login</code> again for a new one.</p>`,
} as const

function form({ clientName, since }: SignInLinkFacts, signsInAt: string, problem?: string) {
  return html`
    <p><strong>${clientName}</strong> wants to act for you at <strong>${signsInAt}</strong>.
      If you go on, it can read and do there what you can.</p>
    <dl><dt>Asked by</dt><dd>${clientName}</dd><dt>Since</dt><dd>${since.toUTCString()}</dd>
      <dt>Leads to</dt><dd>${signsInAt}</dd></dl>
    ${problem === undefined ? '' : html`<p role="alert">${problem}</p>`}
    <form method="post">
      <label for="code">Code from your chat</label>
      <input id="code" name="code" required autofocus autocomplete="one-time-code"
        spellcheck="false" maxlength="12" aria-describedby="why">
      <button>Continue to sign in</button>
    </form>
    <p class="soft" id="why">Go on only if your own assistant showed you this code. Somebody who sent
      you a link or read a code out to you wants to use your account.</p>`
}
