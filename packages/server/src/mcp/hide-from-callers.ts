/**
 * Per-caller visibility on a shared server: lists omit hidden tools, prompts and resources, and
 * requests for them fail with the error for an unknown name. `reads.ts` skips hidden resources when
 * it matches a URI.
 */

import {
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Catalog } from '../engine/discover.ts'
import type { Team } from '../engine/team.ts'
import { type Declared, isVisible } from '../engine/visibility.ts'
import type { RequestContext } from './request-context.ts'
import { type Handler, wrapHandlers } from './wrap-handlers.ts'

interface HideDeps {
  readonly catalog: Catalog
  readonly team: Team
  readonly requestContextOf: (ctx: ServerContext) => RequestContext
}

type Wrap = (handler: Handler) => Handler
type Named = { readonly name: string }
type Asked = { readonly params: { readonly name: string } }
type Completion = {
  readonly params: { readonly ref: { readonly name?: string; readonly uri?: string } }
}

/** Wraps all handlers that are registered after this call. */
export function hideFromCallers(server: Server, deps: HideDeps): void {
  const wrappers = wrappersOf(deps)
  wrapHandlers(server, (handler, method) => {
    const wrap = Object.hasOwn(wrappers, method) ? wrappers[method] : undefined
    return wrap === undefined ? handler : wrap(handler)
  })
}

function wrappersOf({ catalog, team, requestContextOf }: HideDeps): Readonly<Record<string, Wrap>> {
  const tools = new Map([...catalog.tools].map(([name, { definition }]) => [name, definition]))
  const resources = byName(catalog.resources)
  const prompts = byName(catalog.prompts)

  function isHidden(declared: Declared | undefined, ctx: ServerContext): boolean {
    if (declared === undefined) return false
    const { identity, log } = requestContextOf(ctx)
    return !isVisible(team, declared, identity, log)
  }

  /** Filters a list by visibility to the caller. */
  const filtered = (key: string, all: ReadonlyMap<string, Declared>): Wrap => {
    return (handler) => async (request, ctx) => {
      const result = (await handler(request, ctx)) as Record<string, readonly Named[]>
      const shown = result[key]?.filter(({ name }) => !isHidden(all.get(name), ctx))
      return { ...result, [key]: shown }
    }
  }

  return {
    'tools/list': filtered('tools', tools),
    'prompts/list': filtered('prompts', prompts),
    'resources/list': filtered('resources', resources),
    'resources/templates/list': filtered('resourceTemplates', resources),
    'prompts/get': (handler) => (request, ctx) => {
      const { name } = (request as Asked).params
      if (isHidden(prompts.get(name), ctx)) throw notFound('Prompt', name)
      return handler(request, ctx)
    },
    'completion/complete': (handler) => (request, ctx) => {
      const { name = '', uri = '' } = (request as Completion).params.ref
      if (isHidden(prompts.get(name), ctx)) throw notFound('Prompt', name)
      const resource = catalog.resources.find((each) => each.uri === uri)
      if (isHidden(resource?.definition, ctx)) throw notFound('Resource template', uri)
      return handler(request, ctx)
    },
  }
}

/** The SDK's error for an unknown name. */
function notFound(kind: string, name: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `${kind} ${name} not found`)
}

function byName(all: readonly { readonly definition: Declared }[]): ReadonlyMap<string, Declared> {
  return new Map(all.map(({ definition }) => [definition.name, definition]))
}
