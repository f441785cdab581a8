/** What a team's declaration brings along besides tools, resources and prompts. */

import { type CreateRedactor, createRedactor } from '../output/redactor.ts'
import type { HookDefinition } from './define-hook.ts'
import type { RouteDefinition } from './define-route.ts'
import { EMPTY_ENV, type Env } from './env.ts'

/** What a caller who lacks the scopes of a tool sees: a challenge for them (403), or no such tool. */
export type UnauthorizedTools = 'challenge' | 'hide'

export interface Team {
  readonly env: Env
  /** Makes the redactor of a call, which knows the secrets among the settings. */
  readonly createRedactor: CreateRedactor
  readonly hooks: readonly HookDefinition[]
  readonly routes: readonly RouteDefinition[]
  readonly unauthorizedTools: UnauthorizedTools
  /** Rejects while a service cannot be used. */
  readonly readiness?: (() => Promise<void>) | undefined
}

export const NO_TEAM: Team = {
  env: EMPTY_ENV,
  createRedactor,
  hooks: [],
  routes: [],
  unauthorizedTools: 'challenge',
}
