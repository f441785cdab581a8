/** How a server is declared: `src/server.ts` of a project, default export. */

import { optionsFault, type ServerOptions } from './config/server-options.ts'
import type { HookDefinition } from './engine/define-hook.ts'
import type { RouteDefinition } from './engine/define-route.ts'
import type { Env } from './engine/env.ts'
import type { UnauthorizedTools } from './engine/team.ts'

export type { Protocol, ServerOptions } from './config/server-options.ts'

export interface ServerDefinition<E extends Env = Env> extends ServerOptions {
  /** What programs know the server by, such as `acme-desk`: letters, digits, `_`, `-` and `.`. */
  readonly name: string
  /** What people read; the name if left out. */
  readonly title?: string
  /** The version in the project's package.json if left out. */
  readonly version?: string
  readonly branding?: Branding
  /**
   * Where `tools/`, `resources/` and `prompts/` are, relative to the file of the declaration; beside
   * it if left out.
   */
  readonly directory?: string
  /** Whether the server has the tools `login`, `logout` and `session`; it has if left out. */
  readonly sessionTools?: boolean
  /**
   * What a caller sees whose token lacks scopes of a tool: `challenge`, the default, answers 403 with the
   * scopes it needs; for `hide` there is no such tool.
   */
  readonly unauthorizedTools?: UnauthorizedTools
  /** Code around every tool call, resource read and prompt, in this order. */
  readonly hooks?: readonly HookDefinition<E>[]
  /** Pages and endpoints of the team's own. */
  readonly routes?: readonly RouteDefinition<E>[]
  /** Rejects while a service cannot be used; `/readyz` answers 503 then. */
  readiness?(services: E['services']): void | Promise<void>
}

/** The pages that people see in a browser. */
export interface Branding {
  /** Of buttons, links and the mark: six hexadecimal digits, such as `#1f4fbf`. */
  readonly color?: string
  /** What the server is for, in a sentence or two. */
  readonly description?: string
  /**
   * An SVG, PNG, JPEG or WebP file of up to 256 KiB, relative to the file of the declaration, such as
   * `logo.svg`. Pages and clients show it; pages show the initial of the title if it is left out.
   */
  readonly logo?: string
  /** Where people get help: an http or https address. */
  readonly supportUrl?: string
}

/** A declaration of a server that cannot be used; the message says why. */
export class ServerDefinitionError extends Error {
  override readonly name = 'ServerDefinitionError'
}

/**
 * Declares a server. Variables such as APP_NAME and DEMO win over what is said here.
 * @throws ServerDefinitionError
 */
export function defineServer(definition: ServerDefinition): ServerDefinition {
  const { name, branding = {} } = definition
  const unknown = unknownOption(definition)
  if (unknown !== undefined) throw new ServerDefinitionError(`${unknown} is not an option`)
  if (!isName(name)) {
    throw new ServerDefinitionError(
      'name must be 1 to 64 letters, digits, "_", "-" or ".", such as acme-desk',
    )
  }
  if (branding.color !== undefined && !/^#?[\da-f]{6}$/i.test(branding.color)) {
    throw new ServerDefinitionError(
      'branding.color must be six hexadecimal digits, such as #1f4fbf',
    )
  }
  if (branding.supportUrl !== undefined && !/^https?:\/\/\S+$/.test(branding.supportUrl)) {
    throw new ServerDefinitionError('branding.supportUrl must be an http or https address')
  }
  if (branding.logo !== undefined && (typeof branding.logo !== 'string' || branding.logo === '')) {
    throw new ServerDefinitionError('branding.logo must be the path of an image, such as logo.svg')
  }
  const { sessionTools } = definition
  if (sessionTools !== undefined && typeof sessionTools !== 'boolean') {
    throw new ServerDefinitionError('sessionTools must be true or false')
  }
  const fault = optionsFault(definition) ?? teamFault(definition)
  if (fault !== undefined) throw new ServerDefinitionError(fault)
  return Object.freeze({ ...definition })
}

type Keys<T> = Readonly<Record<keyof Required<T>, true>>

const OPTIONS: Keys<ServerDefinition> = {
  name: true,
  title: true,
  version: true,
  branding: true,
  directory: true,
  sessionTools: true,
  unauthorizedTools: true,
  hooks: true,
  routes: true,
  readiness: true,
  transports: true,
  demo: true,
  landingPage: true,
  metrics: true,
  traces: true,
  protocols: true,
}
const BRANDING: Keys<Branding> = { color: true, description: true, logo: true, supportUrl: true }

/** Why what belongs to the team cannot be used; undefined when it can. */
function teamFault(definition: ServerDefinition): string | undefined {
  const { unauthorizedTools, hooks, routes, readiness } = definition
  if (unauthorizedTools !== undefined && !['challenge', 'hide'].includes(unauthorizedTools)) {
    return "unauthorizedTools must be 'challenge' or 'hide'"
  }
  if (hooks !== undefined && !Array.isArray(hooks)) return 'hooks must be an array'
  if (routes !== undefined && !Array.isArray(routes)) return 'routes must be an array'
  if (readiness !== undefined && typeof readiness !== 'function') {
    return 'readiness must be a function'
  }
  return undefined
}

/** Mistyped names, which types refuse, but a start does not check. */
function unknownOption(definition: ServerDefinition): string | undefined {
  const unknown = Object.keys(definition).find((key) => !Object.hasOwn(OPTIONS, key))
  if (unknown !== undefined) return unknown
  const ofBranding = Object.keys(definition.branding ?? {})
  const key = ofBranding.find((each) => !Object.hasOwn(BRANDING, each))
  return key === undefined ? undefined : `branding.${key}`
}

/** Whether a module's default export is a declaration of a server. */
export function isServerDefinition(value: unknown): value is ServerDefinition {
  return typeof value === 'object' && value !== null && 'name' in value && isName(value.name)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value)
}
