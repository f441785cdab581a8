/** `/`: the landing page, as HTML for browsers and as JSON for programs. */

import { type Context, Hono } from 'hono'
import type { ResourceServer } from '../../auth/resource-server.ts'
import { basePathOf } from '../../config/public-path.ts'
import type { Config } from '../../config.ts'
import { type AnyTool, loginsOf } from '../../engine/define-tool.ts'
import type { Catalog } from '../../engine/discover.ts'
import { ANONYMOUS } from '../../engine/identity.ts'
import { NO_TEAM, type Team } from '../../engine/team.ts'
import { isVisible, mayHide } from '../../engine/visibility.ts'
import type { Logger } from '../../logger.ts'
import type { AuthorizedClient, AuthorizedClients } from '../../session/authorized-clients.ts'
import type { HttpEnv } from '../http-env.ts'
import { prefersPage } from '../prefers-page.ts'
import { knownBrowser } from './browser-cookie.ts'
import { createLandingPage } from './landing-page.ts'
import { widePage } from './pages.ts'

export interface LandingDeps {
  readonly config: Config
  readonly publicUrl: string
  readonly catalog: Pick<Catalog, 'tools'>
  readonly team?: Team | undefined
  readonly auth: Pick<ResourceServer, 'facts'>
  /** Host of the sign-in page, as shown to users. */
  readonly signsInAt: string
  readonly authorizedClients: Pick<AuthorizedClients, 'of'>
}

export function landingRoutes(deps: LandingDeps): Hono<HttpEnv> {
  const { config, publicUrl, catalog, authorizedClients } = deps
  const { name, version } = config.app
  const { team = NO_TEAM } = deps
  const all = [...catalog.tools.values()].map(({ definition }) => definition)
  // With visibility rules, the list can differ per request; otherwise the page is rendered once.
  const landingPage = mayHide(team, all) ? undefined : pageWith(all, deps)
  const secure = publicUrl.startsWith('https:')

  /** Undefined while the store is unavailable: the rest of the page does not need it. */
  async function clientsOf(c: Context<HttpEnv>): Promise<readonly AuthorizedClient[] | undefined> {
    const browser = knownBrowser(c, secure, basePathOf(publicUrl))
    if (browser === undefined) return []
    try {
      return await authorizedClients.of(browser)
    } catch (error) {
      c.get('log').warn({ err: error }, 'store unavailable; landing page without sign-in state')
      return undefined
    }
  }

  const routes = new Hono<HttpEnv>()
  routes.get('/', async (c) => {
    c.header('vary', 'Accept')
    if (!prefersPage(c.req.header('accept')))
      return c.json({ service: name, version, status: 'ok' })
    const isShown = (tool: AnyTool) => isVisibleToAll(tool, { config, team }, c.get('log'))
    const page = landingPage ?? pageWith(all.filter(isShown), deps)
    return widePage(c, page(await clientsOf(c)))
  })
  return routes
}

/** Whether a caller without a token sees the tool, even if the server requires tokens. */
function isVisibleToAll(
  tool: AnyTool,
  { config, team }: { readonly config: Config; readonly team: Team },
  log: Logger,
): boolean {
  if (!isVisible(team, tool, ANONYMOUS, log)) return false
  if (team.unauthorizedTools === 'challenge' || !config.auth.required) return true
  return tool.requires?.scopes === undefined
}

function pageWith(tools: readonly AnyTool[], { config, publicUrl, auth, signsInAt }: LandingDeps) {
  const { name, version } = config.app
  return createLandingPage({
    ...{ ...config.pages, name, version, signsInAt },
    url: `${publicUrl}/mcp`,
    tokenRequired: config.auth.required,
    issuer: auth.facts.issuer,
    authorizesClients: config.auth.issuer.kind === 'built-in',
    needsSignIn: tools.some(({ requires }) => loginsOf(requires).length > 0),
    tools,
    showsTools: config.landing.showsTools,
    era2025: config.serves.era2025,
  })
}
