/** Declares a server: the default export of a project's `src/server.ts`. */

import { introductionFault, type ServerIntroduction } from './config/introduction.ts'
import { optionsFault, type ServerOptions } from './config/server-options.ts'
import { hooksFault, routesFault } from './engine/check-routes.ts'
import type { HookDefinition } from './engine/define-hook.ts'
import type { RouteDefinition } from './engine/define-route.ts'
import type { Env } from './engine/env.ts'
import type { ServerExtension } from './engine/extensions.ts'
import type { UnauthorizedTools } from './engine/team.ts'

export type { ServerIcon, ServerIntroduction } from './config/introduction.ts'
export type { Protocol, ServerOptions } from './config/server-options.ts'

export interface ServerDefinition<E extends Env = Env> extends ServerOptions, ServerIntroduction {
  /** Identifier for programs, such as `acme-desk`: letters, digits, `_`, `-` and `.`. */
  readonly name: string
  /** Display name; defaults to `name`. */
  readonly title?: string
  /** Defaults to the version in the project's package.json. */
  readonly version?: string
  readonly branding?: Branding
  /**
   * Folder of `tools/`, `resources/` and `prompts/`, relative to the file of the declaration;
   * defaults to that file's folder.
   */
  readonly directory?: string
  /** Whether the server has the tools `login`, `logout` and `session`; defaults to true. */
  readonly sessionTools?: boolean
  /** Extensions of the SDK; the one for `src/skills/` is added automatically. */
  readonly extensions?: readonly ServerExtension[]
  /**
   * Response to a token that lacks scopes of a tool: `challenge`, the default, answers 403 with the
   * required scopes (step-up authorization); `hide` treats the tool as unknown.
   */
  readonly unauthorizedTools?: UnauthorizedTools
  /** Middleware around every tool call, resource read and prompt, in this order. */
  readonly hooks?: readonly HookDefinition<E>[]
  /** Custom pages and endpoints of the team. */
  readonly routes?: readonly RouteDefinition<E>[]
  /** Readiness check: rejects while a service is unavailable; `/readyz` then answers 503. */
  readiness?(services: E['services']): void | Promise<void>
}

/** Appearance of the pages in the browser. */
export interface Branding {
  /** Colour of buttons, links and the mark: six hexadecimal digits, such as `#1f4fbf`. */
  readonly color?: string
  /** The server's purpose, in a sentence or two. */
  readonly description?: string
  /**
   * An SVG, PNG, JPEG or WebP file of up to 256 KiB, relative to the file of the declaration, such as
   * `logo.svg`. Pages and clients show it; without it, pages show the initial of the title.
   */
  readonly logo?: string
  /** Address of the help page: http or https. */
  readonly supportUrl?: string
}

/** An invalid declaration of a server; the message says why. */
export class ServerDefinitionError extends Error {
  override readonly name = 'ServerDefinitionError'
}

/**
 * Declares a server. Environment variables such as APP_NAME and DEMO override the declaration.
 * @throws ServerDefinitionError
 */
export function defineServer(definition: ServerDefinition): ServerDefinition {
  if (typeof definition !== 'object' || definition === null) {
    throw new ServerDefinitionError(
      "defineServer must get an object, such as { name: 'acme-desk' }",
    )
  }
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
  if (definition.description !== undefined && branding.description !== undefined) {
    throw new ServerDefinitionError('description conflicts with branding.description; set one')
  }
  const fault = optionsFault(definition) ?? introductionFault(definition) ?? teamFault(definition)
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
  extensions: true,
  instructions: true,
  description: true,
  websiteUrl: true,
  icons: true,
  scopes: true,
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

/** The fault in the team's hooks, routes, extensions or readiness check; undefined if none. */
function teamFault(definition: ServerDefinition): string | undefined {
  const { unauthorizedTools, hooks, routes, readiness } = definition
  if (unauthorizedTools !== undefined && !['challenge', 'hide'].includes(unauthorizedTools)) {
    return "unauthorizedTools must be 'challenge' or 'hide'"
  }
  if (!areExtensions(definition.extensions)) {
    return 'extensions must be an array of objects with a method attach'
  }
  if (hooks !== undefined && !Array.isArray(hooks)) return 'hooks must be an array'
  const hookFault = hooksFault(hooks ?? [])
  if (hookFault !== undefined) return hookFault
  if (routes !== undefined && !Array.isArray(routes)) return 'routes must be an array'
  const routeFault = routesFault(routes ?? [])
  if (routeFault !== undefined) return routeFault
  if (readiness !== undefined && typeof readiness !== 'function') {
    return 'readiness must be a function'
  }
  return undefined
}

/** A mistyped option name: the types reject it, but the server may start without a type check. */
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

function areExtensions(given: unknown): boolean {
  if (given === undefined) return true
  return Array.isArray(given) && given.every((each) => typeof each?.attach === 'function')
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value)
}
