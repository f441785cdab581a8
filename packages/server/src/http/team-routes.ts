/** Custom pages and endpoints of a team: rows of the route table, and guarded handlers. */

import { type Context, Hono, type MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { z } from 'zod'
import type { RouteContext, RouteDefinition } from '../engine/define-route.ts'
import { ANONYMOUS, type Caller } from '../engine/identity.ts'
import { createToolLog } from '../engine/scrub-value.ts'
import type { Team } from '../engine/team.ts'
import type { Announce } from '../engine/tool-context.ts'
import { validationText } from '../engine/validation-text.ts'
import { AppError } from '../errors.ts'
import { describeFault, MAX_JSON_DEPTH, structureFault } from '../json-structure.ts'
import { withDeadline } from '../store/command-deadline.ts'
import type { HttpEnv } from './http-env.ts'
import { page } from './pages/pages.ts'
import { problemResponse } from './problem.ts'
import type { Method, Route } from './routes.ts'

const BODY_BYTES = 64 * 1024
const CALLS_PER_MINUTE = 600
const JSON_TYPE = /^application\/(json|[\w.-]+\+json)$/
const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Sorts static paths first: routing and labels must agree on `/reset/new` and `/reset/:token`. */
function inOrder(routes: readonly RouteDefinition[]): readonly RouteDefinition[] {
  const isFixed = ({ path }: RouteDefinition) => !path.includes(':')
  return [...routes.filter(isFixed), ...routes.filter((route) => !isFixed(route))]
}

/** One row per path. */
export function teamRows(routes: readonly RouteDefinition[]): readonly Route[] {
  const paths = [...new Set(inOrder(routes).map(({ path }) => path))]
  return paths.map((path) =>
    rowOf(
      path,
      routes.filter((route) => route.path === path),
    ),
  )
}

function rowOf(path: string, routes: readonly RouteDefinition[]): Route {
  const audience = routes[0]?.for ?? 'programs'
  const calls = Math.max(...routes.map(({ limits }) => limits?.callsPerMinute ?? CALLS_PER_MINUTE))
  return {
    ...{ path, audience, isOfTeam: true },
    methods: routes.flatMap(({ method }): Method[] =>
      method === 'GET' ? ['GET', 'HEAD'] : [method],
    ),
    errors: audience === 'people' ? 'page' : 'problem',
    limit: audience === 'callers' ? 'caller' : { name: `route ${path}`, calls },
    maxBodyBytes: bodyBytesOf(routes),
    ...(audience === 'callers' && { origins: 'allowed' }),
  }
}

/** The largest body limit of the path's methods; GET has no body. */
function bodyBytesOf(routes: readonly RouteDefinition[]): number {
  const posted = routes.filter(({ method }) => method !== 'GET')
  if (posted.length === 0) return BODY_BYTES
  return Math.max(...posted.map(({ bodyLimitBytes }) => bodyLimitBytes ?? BODY_BYTES))
}

export interface TeamRouteDeps {
  readonly team: Team
  readonly publicUrl: string
  readonly announce: Announce
  /** Time limit of routes that declare none. */
  readonly timeoutSeconds: number
  /** Authentication middleware, which sets `caller` in the context. */
  readonly bearer: MiddlewareHandler<HttpEnv>
  readonly identityOf: (c: Context<HttpEnv>) => Caller
}

export function teamRoutes(deps: TeamRouteDeps): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  for (const route of inOrder(deps.team.routes)) {
    if (route.for === 'callers') app.on(route.method, [route.path], deps.bearer)
    app.on(route.method, [route.path], (c) => {
      const seconds = route.timeoutSeconds ?? deps.timeoutSeconds
      return within(seconds, (late) => answerOf(c, route, contextOf(c, route, deps, late)))
    })
  }
  return app
}

/**
 * Limits the time until there is a response; the response may then stream for longer.
 * @throws AppError `unavailable`
 */
async function within(
  seconds: number,
  handle: (late: AbortSignal) => Promise<Response>,
): Promise<Response> {
  const late = new AbortController()
  const expire = () => {
    const message = `The request was not answered within ${seconds} seconds.`
    const error = new AppError('unavailable', message)
    late.abort(error)
    return error
  }
  const handling = handle(late.signal)
  try {
    return await withDeadline(handling, seconds * 1000, expire)
  } catch (error) {
    // A response that comes too late may hold a connection to another server.
    if (late.signal.aborted) handling.then(({ body }) => body?.cancel()).catch(() => undefined)
    throw error
  }
}

/** @throws TypeError for any other value, which would end as an error of the HTTP library */
async function answerOf(
  c: Context<HttpEnv>,
  route: RouteDefinition,
  context: RouteContext,
): Promise<Response> {
  const response: unknown = await route.handle(context)
  const what = `The route ${route.method} ${route.path} must return a Response`
  // By its form: `fetch` of another package has a class of its own.
  const isResponse = typeof response === 'object' && response !== null && 'headers' in response
  if (!isResponse) throw new TypeError(what)
  const answer = response as Response
  if (answer.status === 0) throw new TypeError(`${what} with a status`)
  if (answer.bodyUsed || answer.body?.locked) throw new TypeError(`${what} that nobody has read`)
  return guardBody(c, answer)
}

/**
 * Logs a failure of the body's stream, and cuts the response off: the HTTP library would write the
 * message of the error into it.
 */
function guardBody(c: Context<HttpEnv>, response: Response): Response {
  if (response.body === null) return response
  const reader = response.body.getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await reader.read()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          c.get('log').error({ err: error }, 'response of a route failed')
          c.env.outgoing.destroy()
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  return new Response(body, response)
}

function contextOf(
  c: Context<HttpEnv>,
  route: RouteDefinition,
  { team, publicUrl, announce, identityOf }: TeamRouteDeps,
  late: AbortSignal,
): RouteContext {
  const redactor = team.createRedactor(new Map())
  return {
    ...{ ...team.env, announce, request: c.req.raw },
    signal: AbortSignal.any([c.req.raw.signal, late]),
    url: new URL(`${publicUrl}${c.req.path}${new URL(c.req.url).search}`),
    params: c.req.param() as Readonly<Record<string, string>>,
    caller: route.for === 'callers' ? identityOf(c) : ANONYMOUS,
    log: createToolLog(c.get('log'), redactor),
    page: ({ title, body, status = 200 }) =>
      page(c, { title, body, status: status as ContentfulStatusCode }),
    problem: (problem) => problemResponse({ ...problem }, { 'cache-control': 'no-store' }),
    async json(schema) {
      refuseOtherTypes(c, (type) => JSON_TYPE.test(type), 'application/json')
      return parsed(schema, jsonOf(await c.req.text()))
    },
    async form(schema) {
      refuseOtherTypes(c, (type) => type === FORM_TYPE, FORM_TYPE)
      return parsed(schema, fieldsOf(await c.req.text()))
    },
    bytes: async () => new Uint8Array(await c.req.arrayBuffer()),
  }
}

function refuseOtherTypes(
  c: Context<HttpEnv>,
  isWanted: (type: string) => boolean,
  wanted: string,
): void {
  const [type = ''] = (c.req.header('content-type') ?? '').toLowerCase().split(';', 1)
  if (isWanted(type.trim())) return
  throw new AppError('unsupported_media_type', `Content-Type must be ${wanted}.`)
}

const JSON_BOUNDS = { depth: MAX_JSON_DEPTH, values: Number.POSITIVE_INFINITY }

function jsonOf(text: string): unknown {
  // Recursive checks of a schema would overflow the stack.
  const fault = structureFault(text, JSON_BOUNDS)
  if (fault !== undefined) {
    throw new AppError('invalid_request', describeFault('body', fault, JSON_BOUNDS.values))
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new AppError('invalid_request', 'The body must be JSON.')
  }
}

function fieldsOf(text: string): Readonly<Record<string, string>> {
  const fields = [...new URLSearchParams(text)]
  if (new Set(fields.map(([name]) => name)).size < fields.length) {
    throw new AppError('invalid_request', 'Each field of the form must occur exactly once.')
  }
  return Object.fromEntries(fields)
}

function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const text = validationText(result.error.issues)
  throw new AppError('invalid_request', `The body is invalid:\n${text}`)
}
