/** `/`: what this server is, as a page for people and as JSON for programs. */

import { Hono } from 'hono'
import { accepts } from 'hono/accepts'
import { html } from 'hono/html'
import type { HttpEnv } from './context.ts'
import { page } from './pages.ts'

export interface About {
  readonly name: string
  readonly version: string
  readonly publicUrl: string
  readonly tools: readonly { readonly name: string; readonly description: string }[]
}

export function landingRoutes({ name, version, publicUrl, tools }: About): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()
  routes.get('/', (c) => {
    const supports = ['application/json', 'text/html']
    const type = accepts(c, { header: 'Accept', supports, default: 'application/json' })
    c.header('vary', 'Accept')
    if (type !== 'text/html') return c.json({ service: name, version, status: 'ok' })
    return page(c, {
      title: name,
      body: html`<p>A server for the Model Context Protocol. Point your AI client at it:</p>
        <p><code>${publicUrl}/mcp</code></p>
        <dl>${tools.map((tool) => html`<dt><code>${tool.name}</code></dt><dd>${tool.description}</dd>`)}</dl>
        <p class="soft">Version ${version}</p>`,
    })
  })
  return routes
}
