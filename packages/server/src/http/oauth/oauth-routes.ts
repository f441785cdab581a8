/**
 * `/authorize`, `/token`, `/register`, `/revoke`, `/introspect`, `/jwks` and the metadata: mounts
 * the authorization server's endpoints as Node handlers, outside the Hono app.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { html } from 'hono/html'
import type { OAuthFailure, RenderedPage } from '../../auth/server/options.ts'
import { AppError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { RATE_LIMIT_HEADERS } from '../../store/rate-limits.ts'
import { type StorageBudget, UNLIMITED } from '../../store/storage-budget.ts'
import { asAppError, errorPage } from '../error-response.ts'
import type { NodeHandler } from '../http-server.ts'
import type { PageTheme } from '../pages/page-theme.ts'
import { page, renderPage } from '../pages/pages.ts'
import { prefersPage } from '../prefers-page.ts'
import { OAUTH_ROUTES, OAUTH_TABLE, OPEN_PREFIX, type Route } from '../routes.ts'
import { writeOAuthError } from './oauth-error.ts'

export interface AuthorizationEndpoints {
  /** Rejects if the store is unavailable. Charges stored bytes to `storage`. */
  handle(request: IncomingMessage, response: ServerResponse, storage?: StorageBudget): Promise<void>
}

export interface AuthorizationMountDeps {
  readonly log: Logger
  /** Wraps a handler with rate and body limits. */
  readonly limit: (handler: NodeHandler) => NodeHandler
  /** Storage budget of a request; defaults to unlimited. */
  readonly storageOf?: (request: IncomingMessage) => StorageBudget
  /** Theme of error pages for browsers; without one, all errors are JSON. */
  readonly theme?: PageTheme | undefined
}

/** Node handlers by path. */
export function authorizationMounts(
  server: AuthorizationEndpoints,
  { log, limit, storageOf = () => UNLIMITED, theme }: AuthorizationMountDeps,
): Map<string, NodeHandler> {
  const limited = {
    handle: limit((request, response) => server.handle(request, response, storageOf(request))),
  }
  const deps = { ...limited, log, theme }
  const handler: NodeHandler = (request, response) => void serve(deps, request, response)
  const paths = OAUTH_ROUTES.filter(({ path }) => !path.includes(':')).map(({ path }) => path)
  return new Map(paths.map((path) => [path, handler]))
}

async function serve(
  { handle, log, theme }: Pick<AuthorizationMountDeps, 'log' | 'theme'> & { handle: NodeHandler },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const started = performance.now()
  const { method = 'GET', url = '/' } = request
  const route = OAUTH_TABLE.find(url)
  response.once('close', () => {
    const ms = Math.round(performance.now() - started)
    const label = route?.path ?? 'unknown'
    log.info({ method, route: label, status: response.statusCode, ms }, 'request')
  })
  try {
    if (route === undefined || (route.path.includes(':') && !ID_PATH.test(url))) {
      // Browser-based clients probe several metadata paths, and must be able to read the 404.
      if (url.startsWith(OPEN_PREFIX)) allowPages(request, response, ['GET', 'HEAD'])
      throw new AppError('not_found', 'There is nothing at this address.')
    }
    const { methods } = route
    if (route.origins === 'any') {
      allowPages(request, response, methods)
      if (method === 'OPTIONS' && request.headers.origin !== undefined) {
        response.writeHead(204).end()
        return
      }
    }
    if (!methods.some((each) => each === method)) {
      throw new AppError('method_not_allowed', `Use ${methods.join(' or ')}.`, { allow: methods })
    }
    checkQuery(request)
    await handle(request, response)
  } catch (error) {
    const level = !(error instanceof AppError) ? 'error' : error.status < 500 ? 'debug' : 'warn'
    log[level]({ err: error }, 'request failed')
    if (response.headersSent) response.destroy()
    else if (theme !== undefined && isForBrowser(request, route)) {
      await writePage(response, theme, error)
    } else writeOAuthError(response, error)
  }
}

/** Whether a person navigated here, to a page or to no endpoint at all. */
function isForBrowser({ method, headers }: IncomingMessage, route: Route | undefined): boolean {
  const isPage = route === undefined || route.audience === 'people'
  return isPage && method === 'GET' && prefersPage(headers.accept)
}

/** Writes an error page. */
async function writePage(
  response: ServerResponse,
  theme: PageTheme,
  failure: unknown,
): Promise<void> {
  const rendered = await renderPage(theme, (c) => errorPage(c, asAppError(failure)))
  response.writeHead(rendered.status, Object.fromEntries(rendered.headers))
  response.end(await rendered.text())
}

/** Resume URL after the consent page; our interaction ids use no other characters. */
const ID_PATH = /^\/authorize\/[\w-]+(?:\?|$)/

/** Bytes. The store may hold the whole query until the user has decided. */
const LONGEST_QUERY = 8192
const LONGEST_COUNTED = 2048
/** Only the client or the tools determine how long these are: each counts for so many bytes at most. */
const LONG_PARAMETER = /^(?:state|scope)=/
const LONG_COUNTS = 512

/** @throws AppError `uri_too_long` (RFC 9110, 15.5.15) */
function checkQuery({ url = '' }: IncomingMessage): void {
  const start = url.indexOf('?')
  // Node reads the request line as Latin-1: each character is a byte.
  const query = start === -1 ? '' : url.slice(start + 1)
  if (query.length <= LONGEST_COUNTED) return
  if (query.length > LONGEST_QUERY) throw tooLong('', LONGEST_QUERY)
  const counted = query
    .split('&')
    .map((parameter) =>
      LONG_PARAMETER.test(parameter) ? parameter.slice(0, LONG_COUNTS) : parameter,
    )
  if (counted.join('&').length > LONGEST_COUNTED) {
    throw tooLong(' besides state and scope', LONGEST_COUNTED)
  }
}

function tooLong(besides: string, limitBytes: number): AppError {
  return new AppError(
    'uri_too_long',
    `The query${besides} exceeds the limit of ${limitBytes} bytes.`,
  )
}

const EXPOSED = [...RATE_LIMIT_HEADERS, 'WWW-Authenticate'].join(', ')

/** CORS for any origin, without credentials and so without cookies (Fetch Standard). */
function allowPages(
  { headers }: IncomingMessage,
  response: ServerResponse,
  methods: readonly string[],
): void {
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('access-control-expose-headers', EXPOSED)
  if (headers['access-control-request-method'] === undefined) return
  response.setHeader('access-control-allow-methods', methods.join(', '))
  response.setHeader(
    'access-control-allow-headers',
    'Authorization, Content-Type, MCP-Protocol-Version',
  )
  response.setHeader('access-control-max-age', '600')
}

/** What the person can do; clients keep a registration that was deleted, and do not learn of it. */
const REMEDIES: Readonly<Record<string, string>> = {
  invalid_client:
    'The client is not registered here, or its registration has expired. In your client, clear the ' +
    'authentication of this server, or remove the server and add it again. Then connect again.',
}

/** Error page, instead of a redirect to a URI that may be invalid (open redirector). */
export function authorizationErrorPage(
  theme: PageTheme,
): (failure: OAuthFailure) => Promise<RenderedPage> {
  return async ({ error, description }) => {
    const response = await renderPage(theme, (c) =>
      page(c, {
        title: 'Authorization failed',
        body: html`<p role="alert">${description ?? 'The authorization request is invalid.'}</p>
          <p>${REMEDIES[error] ?? 'Go back to your client and connect again.'}</p>
          <p class="soft">Error code: <code>${error}</code></p>`,
      }),
    )
    return { headers: Object.fromEntries(response.headers), html: await response.text() }
  }
}
