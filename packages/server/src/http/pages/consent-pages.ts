/** Pages of `/consent/:uid`: the consent request, and the pending sign-in. */

import { html } from 'hono/html'
import { describeTarget, type RedirectTarget } from '../../auth/redirect-uris.ts'
import type { ConsentRequest } from '../../auth/server/consents.ts'
import type { Continuation } from '../../auth/server/continuations.ts'
import { clientNameOnPage } from './client-name.ts'
import type { Page } from './pages.ts'
import { timeOnPage } from './relative-time.ts'

export const OVER = {
  title: 'This request has expired or was already answered',
  status: 410,
  body: html`<p>It may also have been started in another browser. Go back to your client and connect
    again.</p>`,
} as const

/** The client's name for pages. */
export function nameOfClient({ clientName, clientHost }: ConsentRequest): string {
  return clientNameOnPage(clientName, clientHost ?? 'An unnamed client')
}

export interface ConsentPageFacts {
  /** Host of this server. */
  readonly host: string
  /** Descriptions by scope. */
  readonly scopeWords: Readonly<Record<string, string>>
  /** Unix time in milliseconds. */
  readonly now: number
}

/** Consent page: asks whether the client may use `host` on the user's behalf. */
export function askPage(
  request: ConsentRequest,
  { host, scopeWords, now }: ConsentPageFacts,
): Page {
  const { clientHost, redirectUri, scopes, continues } = request
  const name = nameOfClient(request)
  const target = describeTarget(redirectUri)
  const body = html`<p><strong>${name}</strong> asks to use <strong>${host}</strong> on your behalf.</p>
    <dl><dt>Client</dt><dd>${name}</dd>
      ${clientHost === undefined ? '' : html`<dt>Published by</dt><dd>${clientHost}</dd>`}
      <dt>Identity</dt><dd>${identity(request, target)}</dd>
      <dt>Sends you back to</dt><dd>${nameOf(target)}</dd></dl>
    <h2>It will be able to</h2>
    <ul class="rows">${scopes.map((scope) => html`<li>${scopeOnPage(scope, scopeWords)}</li>`)}</ul>
    <p class="notice">${warning(request, target)}</p>
    ${continues === undefined ? '' : session(continues, now)}
    <form method="post"><div class="actions">
      <button name="decision" value="allow">Allow</button>
      ${continues === undefined ? '' : otherChoice(continues)}
      <button name="decision" value="deny" class="secondary">Deny</button></div></form>
    <p class="soft">Continue only if you have just connected this client yourself.</p>`
  return { title: `Authorize ${name}?`, body }
}

/** Descriptions of scopes in servers that declare none. */
export const SCOPE_WORDS: Readonly<Record<string, string>> = {
  mcp: 'Use the tools of this server that need no further permission',
}

/** A scope's name and description; the description is the server's, never the client's. */
function scopeOnPage(scope: string, words: Readonly<Record<string, string>>) {
  const text = Object.hasOwn(words, scope) ? words[scope] : undefined
  const name = html`<code>${scope}</code>`
  return text === undefined ? name : html`${text} ${name}`
}

/** Explains whether `Allow` continues the session that this browser opened for the client. */
function session({ since, signedIn, isDefault }: Continuation, now: number) {
  const opened = timeOnPage(since, now)
  const state = signedIn ? ', in which you are signed in' : ''
  return isDefault
    ? html`<p>It continues the session you opened ${opened}${state}.</p>`
    : html`<p>It starts with a new session. You opened one for a client of this name ${opened}${state};
        continue that one only if it is the same client.</p>`
}

function otherChoice({ isDefault }: Continuation) {
  return isDefault
    ? html`<button name="decision" value="anew" class="secondary">Allow with a new session</button>`
    : html`<button name="decision" value="continue" class="secondary">Allow and continue that session</button>`
}

/**
 * Page for an authorized client whose user is not signed in yet. `failure` is an error code from
 * `/callback`; the query can be forged, so the code only selects a fixed sentence.
 */
export function signInPage(
  request: ConsentRequest,
  { signsInAt, serverName }: { readonly signsInAt: string; readonly serverName: string },
  failure: string | undefined,
): Page {
  const problem = failure === undefined ? undefined : problemOf(failure, signsInAt, serverName)
  return {
    title: problem === undefined ? 'Sign in' : titleOf(failure),
    status: problem === undefined ? 200 : statusOf(failure),
    body: html`${problem === undefined ? '' : html`<p role="alert">${problem}</p>`}
      <p>You authorized <strong>${nameOfClient(request)}</strong>. It gets access once you have signed in at
        <strong>${signsInAt}</strong>.</p>
      <form method="post"><div class="actions">
        <button name="decision" value="allow">${problem === undefined ? 'Sign in' : 'Try again'}</button>
        <button name="decision" value="deny" class="secondary">Give up</button></div></form>`,
  }
}

function titleOf(failure: string | undefined): string {
  return failure === 'account_refused' ? 'Account not allowed' : 'Sign-in failed'
}

function statusOf(failure: string | undefined): 403 | 502 {
  return failure === 'access_denied' || failure === 'account_refused' ? 403 : 502
}

function problemOf(failure: string, signsInAt: string, serverName: string): string | undefined {
  switch (failure) {
    case 'account_refused':
      return `This account is not allowed to use ${serverName}. Sign in with another one, or ask the operator of this server.`
    case 'access_denied':
      return `The sign-in was cancelled, or ${signsInAt} refused it.`
    case 'invalid_client':
      return `${signsInAt} does not accept this server. Only the operator of ${serverName} can correct that.`
    case 'session_ended':
      return 'The sign-in took too long.'
    case 'provider_unavailable':
      return `${signsInAt} does not answer. Try again shortly.`
    case 'invalid_grant':
    case 'invalid_response':
      return `${signsInAt} sent an invalid response. Try again.`
    default:
      return undefined
  }
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

/** Whether anything besides its own word says who the client is. */
function identity(request: ConsentRequest, target: RedirectTarget) {
  if (isHostVerified(request, target)) return html`<span class="tag good">Host verified</span>`
  return isKnownToOperator(request, target)
    ? html`<span class="tag good">Registered by the operator</span>`
    : html`<span class="tag warn">Not verified</span>`
}

/** The host that publishes the client's metadata document also receives the authorization code. */
function isHostVerified({ clientHost }: ConsentRequest, target: RedirectTarget): boolean {
  return target.kind === 'https' && target.host === clientHost
}

/** Any app on the user's device can use the redirect URI of an app there (RFC 8252, 8.6). */
function isKnownToOperator({ isPreregistered }: ConsentRequest, target: RedirectTarget): boolean {
  return isPreregistered === true && target.kind === 'https'
}

function warning(request: ConsentRequest, target: RedirectTarget): string {
  if (target.kind !== 'https') {
    return 'Any app on this computer can claim to be this client. Nobody has verified it.'
  }
  return isHostVerified(request, target) || isKnownToOperator(request, target)
    ? `The operator of ${target.host} gets access.`
    : `Nobody has verified who this client is. The operator of ${target.host} gets access.`
}
