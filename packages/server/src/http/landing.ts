/** `/`: what this server is, as a page for people and as JSON for programs. */

import { type Context, Hono } from 'hono'
import { accepts } from 'hono/accepts'
import type { ResourceServer } from '../auth/resource-server.ts'
import { basePathOf } from '../config/base-path.ts'
import type { Config } from '../config.ts'
import { type AnyTool, loginsOf } from '../engine/define-tool.ts'
import type { Catalog } from '../engine/discover.ts'
import { ANONYMOUS } from '../engine/identity.ts'
import { NO_TEAM, type Team } from '../engine/team.ts'
import { isVisible, mayHide } from '../engine/visibility.ts'
import type { Logger } from '../logger.ts'
import type { LetInClient, LetInClients } from '../session/let-in-clients.ts'
import { knownBrowser } from './browser-cookie.ts'
import type { HttpEnv } from './context.ts'
import { createLandingPage } from './landing-page.ts'
import { widePage } from './pages.ts'

export interface LandingDeps {
  readonly config: Config
  readonly publicUrl: string
  readonly catalog: Pick<Catalog, 'tools'>
  readonly team?: Team | undefined
  readonly auth: Pick<ResourceServer, 'facts'>
  /** The host people sign in at, as they know it. */
  readonly signsInAt: string
  readonly letInClients: Pick<LetInClients, 'of'>
}

export function landingRoutes(deps: LandingDeps): Hono<HttpEnv> {
  const { config, publicUrl, catalog, auth, signsInAt, letInClients } = deps
  const { name, version } = config.app
  const { team = NO_TEAM } = deps
  const all = [...catalog.tools.values()].map(({ definition }) => definition)
  /** Those that a caller without a token sees, or would if there were such callers. */
  const shown = (log: Logger) =>
    all.filter(
      (tool) =>
        isVisible(team, tool, ANONYMOUS, log) &&
        (team.unauthorizedTools === 'challenge' ||
          !config.auth.required ||
          tool.requires?.scopes === undefined),
    )
  const pageWith = (tools: readonly AnyTool[]) =>
    createLandingPage({
      ...{ ...config.pages, name, version, signsInAt },
      url: `${publicUrl}/mcp`,
      tokenRequired: config.auth.required,
      issuer: auth.facts.issuer,
      letsClientsIn: config.auth.issuer.kind === 'built-in',
      needsSignIn: tools.some(({ requires }) => loginsOf(requires).length > 0),
      tools,
      showsTools: config.landing.showsTools,
      era2025: config.serves.era2025,
    })
  // What is visible can change with every request.
  const landingPage = mayHide(team, all) ? undefined : pageWith(all)
  const secure = publicUrl.startsWith('https:')

  /** Undefined while the store is away: the rest of the page needs none. */
  async function clientsOf(c: Context<HttpEnv>): Promise<readonly LetInClient[] | undefined> {
    const browser = knownBrowser(c, secure, basePathOf(publicUrl))
    if (browser === undefined) return []
    try {
      return await letInClients.of(browser)
    } catch (error) {
      c.get('log').warn({ err: error }, 'the landing page does without the store')
      return undefined
    }
  }

  const routes = new Hono<HttpEnv>()
  routes.get('/', async (c) => {
    const supports = ['application/json', 'text/html']
    const type = accepts(c, { header: 'Accept', supports, default: 'application/json' })
    c.header('vary', 'Accept')
    if (type !== 'text/html') return c.json({ service: name, version, status: 'ok' })
    const page = landingPage ?? pageWith(shown(c.get('log')))
    return widePage(c, page(await clientsOf(c)))
  })
  return routes
}
