/** Pages of `/account`: clients, personal access tokens, and the token that is shown once. */

import { html } from 'hono/html'
import type { AccountView, AuthorizedAccess, UpstreamAccount } from '../../session/account.ts'
import type { PersonalTokens } from '../../session/personal-tokens.ts'
import { clientNameOnPage } from './client-name.ts'
import type { Html, Page, WidePage } from './pages.ts'

export interface AccountPageOptions {
  /** Host of the sign-in page; undefined if nobody can sign in to this page. */
  readonly signsInAt: string | undefined
  /** Undefined if people cannot make tokens. */
  readonly personalTokens: Pick<PersonalTokens, 'scopes' | 'longestTtlSeconds'> | undefined
  readonly scopeWords: Readonly<Record<string, string>>
  readonly notice: Notice | undefined
}

/** The outcome of the last form. */
export interface Notice {
  readonly text: string
  readonly isProblem: boolean
}

const DONE: Readonly<Record<string, string>> = {
  removed: 'Access removed. The client or token can no longer act for you.',
  narrowed: 'Scopes changed. The change applies to the next call.',
  signed_out: 'You are signed out of this page. Your clients keep their access.',
  signed_out_upstream: 'Signed out. The client has to ask you to sign in again.',
}

const PROBLEMS: Readonly<Record<string, string>> = {
  unknown: 'This client or token was already removed, or is not yours.',
  sign_in: 'Sign in again to create a token.',
  no_sign_in: 'Nobody can sign in to this page.',
  no_name: 'Give the token a name of at most 80 characters.',
  no_scopes: 'Choose at least one scope.',
  bad_lifetime: 'Choose one of the lifetimes.',
  too_many: 'You have 50 tokens. Revoke one that you no longer need.',
}

/** The query can be forged, so its codes only select fixed sentences. */
export function noticeOf({
  done,
  signIn,
}: {
  readonly done?: string | undefined
  readonly signIn?: string | undefined
}): Notice | undefined {
  if (signIn !== undefined) {
    const text =
      signIn === 'account_refused'
        ? 'This account is not allowed to use this server.'
        : 'The sign-in failed or was cancelled. Try again.'
    return { text, isProblem: true }
  }
  if (done === undefined) return undefined
  if (Object.hasOwn(DONE, done)) return { text: DONE[done] ?? '', isProblem: false }
  return Object.hasOwn(PROBLEMS, done) ? { text: PROBLEMS[done] ?? '', isProblem: true } : undefined
}

/** The page with the visitor's clients and tokens. */
export function accountPage(view: AccountView, options: AccountPageOptions): WidePage {
  const { notice, personalTokens } = options
  const kinds = personalTokens === undefined ? 'clients' : 'clients and tokens'
  const isShown = view.clients.length > 0 || view.isSignedIn || options.signsInAt === undefined
  return {
    skipTo: { id: 'clients', text: 'Skip to your clients' },
    intro: html`<p>The ${kinds} that can act for you here, and how to revoke them.</p>`,
    body: html`${notice === undefined ? '' : noticePart(notice)}
    ${visitSection(view, options)}
    ${isShown ? clientsSection(view.clients, options) : ''}
    ${view.isSignedIn && personalTokens !== undefined ? tokensSection(view, options, personalTokens) : ''}`,
  }
}

/** The page with a new token, the only one that shows it. */
export function tokenPage(token: string, back: string): Page {
  return {
    title: 'Copy your token',
    body: html`<p>It is shown only once. Anybody who has it can act for you.</p>
      <pre tabindex="0" aria-label="Personal access token"><code>${token}</code></pre>
      <p class="soft">Send it as <code>Authorization: Bearer</code>. Keep it in a secret store, not in a
        repository or a chat. You can revoke it on your account page.</p>
      <div class="actions"><a class="button" href="${back}">Done</a></div>`,
  }
}

function noticePart({ text, isProblem }: Notice): Html {
  return isProblem
    ? html`<p role="alert">${text}</p>`
    : html`<p role="status" class="notice">${text}</p>`
}

function visitSection({ isSignedIn }: AccountView, { signsInAt }: AccountPageOptions): Html | '' {
  if (signsInAt === undefined) return ''
  if (isSignedIn) {
    return card(
      'visit',
      'You',
      html`<p>You are signed in to this page at <strong>${signsInAt}</strong>, for half an hour.</p>
        ${form('sign_out', 'Sign out of this page')}`,
    )
  }
  return card(
    'visit',
    'Sign in',
    html`<p>Sign in at <strong>${signsInAt}</strong> to see all clients and tokens that may act for
      you. Without it, this page shows the clients of this browser that nobody has signed in for.</p>
      ${form('sign_in', `Sign in at ${signsInAt}`, { isPrimary: true })}`,
  )
}

function clientsSection(clients: readonly AuthorizedAccess[], options: AccountPageOptions): Html {
  const list =
    clients.length === 0
      ? html`<p>No client can act for you.</p>`
      : html`<ul class="rows">${clients.map((client) => accessRow(client, options, 'Remove'))}</ul>`
  return card('clients', 'Clients', list)
}

function tokensSection(
  { tokens, canMakeToken }: AccountView,
  options: AccountPageOptions,
  personalTokens: NonNullable<AccountPageOptions['personalTokens']>,
): Html {
  const list =
    tokens.length === 0
      ? html`<p>You have no personal access tokens.</p>`
      : html`<ul class="rows">${tokens.map((token) => accessRow(token, options, 'Revoke'))}</ul>`
  const signInAgain = html`<p>To create a token, sign in again: each token uses the sign-in of one
    visit.</p>${form('sign_in', 'Sign in to create a token')}`
  return card(
    'tokens',
    'Personal access tokens',
    html`<p>For jobs and scripts that act for you.</p>${list}
      <h3>New token</h3>${canMakeToken ? tokenForm(personalTokens, options) : signInAgain}`,
  )
}

function accessRow(access: AuthorizedAccess, options: AccountPageOptions, ends: string): Html {
  const { id, logName, name, since, lastUsedAt, expiresAt, allowed, accounts } = access
  const shown = clientNameOnPage(name, 'A client without a name')
  return html`<li><h3>${shown}</h3>
    <dl><dt>Since</dt><dd>${time(since)}</dd>
      <dt>Last used</dt><dd>${lastUsedAt === undefined ? 'Not recently' : time(lastUsedAt)}</dd>
      ${expiresAt === undefined ? '' : html`<dt>Expires</dt><dd>${time(expiresAt)}</dd>`}
      <dt>In the logs</dt><dd><code>${logName}</code></dd></dl>
    ${accounts.map((account) => accountPart(id, shown, account))}
    ${allowed.length === 0 ? html`<p>All its scopes were removed.</p>` : narrowForm(access, shown, options)}
    ${form('remove', `${ends} ${shown}`, { fields: { id } })}</li>`
}

function accountPart(
  id: string,
  client: string,
  { upstream, signsInAt, account }: UpstreamAccount,
): Html {
  const label = `Sign ${client} out of ${signsInAt}`
  return html`<p>Signed in at <strong>${signsInAt}</strong>
      ${account === undefined ? '' : html`as ${clientNameOnPage(account, 'an account without a name')}`}</p>
    ${form('sign_out_upstream', label, { fields: { id, upstream } })}`
}

function narrowForm(
  { id, allowed }: AuthorizedAccess,
  client: string,
  { scopeWords }: AccountPageOptions,
): Html {
  return html`<details><summary><span>Scopes <span class="soft">${allowed.join(' ')}</span></span></summary>
    <div><form method="post"><input type="hidden" name="action" value="narrow">
      <input type="hidden" name="id" value="${id}">
      <fieldset><legend>Scopes that ${client} keeps</legend>
        ${allowed.map((scope) => scopeBox(scope, scopeWords, true))}</fieldset>
      <p class="soft">The client gets a removed scope again only if you authorize it again.</p>
      <div class="actions"><button class="secondary">Keep only these</button></div></form></div></details>`
}

function tokenForm(
  { scopes, longestTtlSeconds }: NonNullable<AccountPageOptions['personalTokens']>,
  { scopeWords }: AccountPageOptions,
): Html {
  return html`<form method="post"><input type="hidden" name="action" value="make_token">
      <label for="name">Name</label>
      <input class="text" id="name" name="name" required maxlength="80" autocomplete="off"
        placeholder="Nightly report">
      <label for="days">Expires after</label>
      <select id="days" name="days">${lifetimesWithin(longestTtlSeconds).map(
        (days) => html`<option value="${days}">${days === 1 ? '1 day' : `${days} days`}</option>`,
      )}</select>
      <fieldset><legend>Scopes</legend>
        ${scopes.map((scope, at) => scopeBox(scope, scopeWords, at === 0))}</fieldset>
      <div class="actions"><button>Create token</button></div></form>`
}

function scopeBox(
  scope: string,
  words: Readonly<Record<string, string>>,
  isChecked: boolean,
): Html {
  const text = Object.hasOwn(words, scope) ? `${words[scope]} ` : ''
  return html`<label class="box"><input type="checkbox" name="scope" value="${scope}"${
    isChecked ? html` checked` : ''
  }> <span>${text}<code>${scope}</code></span></label>`
}

const DAY_SECONDS = 24 * 60 * 60

/** Common lifetimes below the longest, and the longest itself. */
function lifetimesWithin(longestTtlSeconds: number): readonly number[] {
  const longest = Math.floor(longestTtlSeconds / DAY_SECONDS)
  return [...new Set([7, 30, 90, 180].filter((days) => days < longest).concat(longest))]
}

interface FormOptions {
  readonly fields?: Readonly<Record<string, string>>
  readonly isPrimary?: boolean
}

function form(action: string, label: string, { fields = {}, isPrimary }: FormOptions = {}): Html {
  return html`<form method="post"><input type="hidden" name="action" value="${action}">
    ${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
    <div class="actions"><button${isPrimary ? '' : html` class="secondary"`}>${label}</button></div></form>`
}

function time(at: number): Html {
  const iso = new Date(at).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

function card(id: string, heading: string, body: Html): Html {
  return html`<section class="card" id="${id}" aria-labelledby="${id}-heading">
    <h2 id="${id}-heading">${heading}</h2>${body}</section>`
}
