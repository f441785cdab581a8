/** Landing page: the server's address, sign-in state, client setup and tools. */

import { html } from 'hono/html'
import { type AnyTool, loginsOf } from '../../engine/define-tool.ts'
import type { AuthorizedClient } from '../../session/authorized-clients.ts'
import { clientNameOnPage } from './client-name.ts'
import { type ClientSettings, clientSettings, type ServerFacts } from './client-settings.ts'
import type { Html, WidePage } from './pages.ts'

export interface About extends ServerFacts {
  readonly version: string
  readonly description?: string
  /** Issuer of the access tokens. */
  readonly issuer: string
  /** Whether this server is the issuer, and so knows browsers by their cookie. */
  readonly authorizesClients: boolean
  /** Host of the sign-in page, as shown to users. */
  readonly signsInAt: string
  /** Whether any tool, listed or not, requires a sign-in. */
  readonly needsSignIn: boolean
  readonly tools: readonly AnyTool[]
  /** Who sees the list of tools: everybody, browsers with a signed-in client, or nobody. */
  readonly showsTools: boolean | 'signed-in'
}

/** Clients that the browser has authorized; undefined while the store is unavailable. */
type Clients = readonly AuthorizedClient[] | undefined

/** Creates the page renderer; parts that do not depend on the browser are rendered once. */
export function createLandingPage(about: About): (clients: Clients) => WidePage {
  const skipTo = { id: 'connect', text: 'Skip to connecting a client' }
  const description =
    about.description ?? 'Tools for your AI assistant, by the Model Context Protocol.'
  const intro = html`<p>${description}</p>`
  const connect = connectSection(about)
  const { tools, showsTools } = about
  const toolsPart = tools.length === 0 || showsTools === false ? '' : toolsSection(tools)
  return (clients) => {
    const isSignedIn = clients?.some(({ signedIn }) => signedIn) ?? false
    const part = showsTools === 'signed-in' && !isSignedIn ? '' : toolsPart
    return {
      skipTo,
      intro,
      body: html`${serverSection(about, clients)}${connect}
    ${part}`,
    }
  }
}

function serverSection(about: About, clients: Clients): Html {
  const {
    url,
    version,
    tokenRequired,
    issuer,
    authorizesClients,
    needsSignIn,
    era2025 = true,
  } = about
  const access = tokenRequired
    ? html`With an access token. Clients request one themselves, and you authorize them at
        <strong>${new URL(issuer).host}</strong>.`
    : 'Open to every client that reaches it.'
  return section(
    'server',
    'Address',
    html`<pre><code>${url}</code></pre>
    <dl><dt>Access</dt><dd>${access}</dd>
      ${needsSignIn && authorizesClients ? html`<dt>Signed in?</dt><dd>${signedIn(clients)}</dd>` : ''}
      <dt>Protocol</dt><dd>${era2025 ? '2026-07-28, and 2025-11-25 and earlier' : '2026-07-28'}</dd>
      <dt>Version</dt><dd>${version}</dd></dl>
    ${needsSignIn ? signInNote(about) : ''}`,
  )
}

function signInNote({ signsInAt, authorizesClients }: About): Html {
  return html`<p class="soft">You sign in for one client at a time, at <strong>${signsInAt}</strong>.
    ${authorizesClients ? 'This browser knows the clients that you authorized in it.' : ''}</p>`
}

function signedIn(clients: Clients): Html {
  if (clients === undefined) return html`Not available just now.`
  if (clients.length === 0) return html`Not that this browser knows.`
  return html`${clients.map(
    ({ clientName, signedIn }) => html`<div class="client">
      <span>${clientNameOnPage(clientName, 'An unnamed client')}</span>
      ${signedIn ? html`<span class="tag good">Signed in</span>` : html`<span class="tag">Not signed in</span>`}</div>`,
  )}`
}

function connectSection(about: About): Html {
  return section(
    'connect',
    'Connect a client',
    html`
    ${clientSettings(about).map(clientDetails)}
    <p class="soft">A click on a command or a file selects all of it.</p>`,
  )
}

function clientDetails({ client, how, link, steps }: ClientSettings): Html {
  return html`<details><summary><span>${client} <span class="soft">${how}</span></span></summary><div>
    ${link === undefined ? '' : html`<p><a class="button" href="${link.href}">${link.text}</a></p>`}
    ${steps.map((step) => (typeof step === 'string' ? html`<p>${marked(step)}</p>` : html`<pre><code>${step.code}</code></pre>`))}</div></details>`
}

/** Renders the inline markup of settings: `code` and **button names**. */
function marked(sentence: string): Html[] {
  return sentence.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('`')) return html`<code>${part.slice(1, -1)}</code>`
    if (part.startsWith('**')) return html`<strong>${part.slice(2, -2)}</strong>`
    return html`${part}`
  })
}

function toolsSection(tools: readonly AnyTool[]): Html {
  return section('tools', 'Tools', html`<ul class="rows">${tools.map(toolRow)}</ul>`)
}

function toolRow(tool: AnyTool): Html {
  const { name, title = tool.annotations?.title, description } = tool
  const heading =
    title === undefined ? html`<code>${name}</code>` : html`${title} <code>${name}</code>`
  const tags = tagsOf(tool)
  return html`<li><h3>${heading}</h3><p>${description}</p>
    ${tags.length === 0 ? '' : html`<div class="tags">${tags}</div>`}</li>`
}

/** Tags for declared annotations; an undeclared annotation gets no tag. */
function tagsOf({ requires, annotations }: AnyTool): Html[] {
  const reads = annotations?.readOnlyHint === true
  const destroys = !reads && annotations?.destructiveHint === true
  return [
    ...(loginsOf(requires).length > 0 ? [html`<span class="tag">Needs sign-in</span>`] : []),
    ...(reads ? [html`<span class="tag good">Only reads</span>`] : []),
    ...(destroys ? [html`<span class="tag warn">May delete or end things</span>`] : []),
    ...(requires?.scopes ?? []).map(
      (scope) => html`<span class="tag">Scope <code>${scope}</code></span>`,
    ),
  ]
}

function section(id: string, heading: string, body: Html): Html {
  return html`<section class="card" id="${id}" aria-labelledby="${id}-heading">
    <h2 id="${id}-heading">${heading}</h2>${body}</section>`
}
