/** Validates a team's hooks and routes: their form, and conflicts with the framework's paths. */

import { isTimeLimit, LONGEST_SECONDS } from './compile-tool.ts'
import { fieldFault } from './declared-fields.ts'
import type { HookDefinition } from './define-hook.ts'
import type { RouteDefinition } from './define-route.ts'

/** First segments of the framework's own paths, including those that are not served. */
export const RESERVED_SEGMENTS: ReadonlySet<string> = new Set([
  'account',
  ...['', '.well-known', 'authorize', 'callback', 'connect', 'consent', 'demo', 'http'],
  ...[
    'introspect',
    'jwks',
    'key',
    'livez',
    'logo',
    'mcp',
    'messages',
    'metrics',
    'readyz',
    'redirect',
  ],
  ...['register', 'revoke', 'sse', 'token'],
])

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const AUDIENCES = ['people', 'programs', 'callers']
const PATH = /^(\/(:[A-Za-z]\w*|[\w.~-]+))+$/
const MOST_BODY_BYTES = 100 * 1024 * 1024

/** The first fault of the routes; undefined if they are valid. */
export function routesFault(routes: readonly RouteDefinition[]): string | undefined {
  const seen = new Map<string, RouteDefinition>()
  const audiences = new Map<string, { readonly path: string; readonly for: string }>()
  for (const [index, route] of routes.entries()) {
    const kind = typeof route === 'object' && route !== null ? undefined : 'no route'
    const wrong = Array.isArray(route) ? 'a list: write ...list' : kind
    if (wrong !== undefined) return `routes[${index}] is ${wrong}`
    const fault = fieldFault('route', route) ?? routeFault(route)
    if (fault !== undefined) return `route ${route.method} ${route.path}: ${fault}`
    const shape = route.path.replaceAll(/:\w+/g, ':')
    if (seen.has(`${route.method} ${shape}`)) {
      return `route ${route.method} ${route.path} is declared twice`
    }
    seen.set(`${route.method} ${shape}`, route)
    const other = audiences.get(shape)
    if (other !== undefined && (other.for !== route.for || other.path !== route.path)) {
      return `route ${route.method} ${route.path} must have the same \`path\` and \`for\` as ${other.path}`
    }
    audiences.set(shape, route)
  }
  return undefined
}

function routeFault(route: RouteDefinition): string | undefined {
  const { path, method, limits, bodyLimitBytes, timeoutSeconds, handle } = route
  if (!AUDIENCES.includes(route.for)) return 'for must be people, programs or callers'
  if (!METHODS.includes(method)) return `method must be one of ${METHODS.join(', ')}`
  if (typeof path !== 'string' || !PATH.test(path)) {
    return 'path must be such as /reset/:token: segments of letters, digits, "_", "-", "." and "~"'
  }
  const [, first = ''] = path.split('/')
  if (first.startsWith(':')) return 'path must begin with a fixed segment'
  if (RESERVED_SEGMENTS.has(first)) return `paths below /${first} belong to the framework`
  if (typeof handle !== 'function') return 'handle is missing'
  if (!isCount(bodyLimitBytes, MOST_BODY_BYTES)) {
    return `bodyLimitBytes must be from 1 to ${MOST_BODY_BYTES}`
  }
  if (!isTimeLimit(timeoutSeconds)) {
    return `timeoutSeconds must be more than 0 and at most ${LONGEST_SECONDS}`
  }
  return isCount(limits?.callsPerMinute, 1_000_000)
    ? undefined
    : 'limits.callsPerMinute must be from 1 to 1000000'
}

function isCount(value: number | undefined, most: number): boolean {
  return value === undefined || (Number.isSafeInteger(value) && value >= 1 && value <= most)
}

/**
 * The first fault of the hooks; undefined if they are valid. A hook without functions, or with a
 * misspelled one, would check and record nothing.
 */
export function hooksFault(hooks: readonly HookDefinition[]): string | undefined {
  for (const [index, hook] of hooks.entries()) {
    if (typeof hook !== 'object' || hook === null || Array.isArray(hook)) {
      return `hooks[${index}] must be a hook: defineHook({ name, before, after })`
    }
    const { name, before, after } = hook
    const shown = typeof name === 'string' && name !== '' ? `hook "${name}"` : `hooks[${index}]`
    const fault = fieldFault('hook', hook)
    if (fault !== undefined) return `${shown}: ${fault}`
    if (typeof name !== 'string' || name === '') return `${shown}: name is missing`
    if (before === undefined && after === undefined) return `${shown} must have before or after`
  }
  return undefined
}
