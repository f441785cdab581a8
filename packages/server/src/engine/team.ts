/** A team's declaration apart from tools, resources and prompts. */

import { type CreateRedactor, createRedactor } from '../output/mask.ts'
import type { HookDefinition } from './define-hook.ts'
import type { RouteDefinition } from './define-route.ts'
import { EMPTY_ENV, type Env } from './env.ts'

/** For callers without a tool's scopes: a step-up challenge (403), or a hidden tool. */
export type UnauthorizedTools = 'challenge' | 'hide'

export interface Team {
  readonly env: Env
  /** Creates a call's redactor, which knows the secret settings. */
  readonly createRedactor: CreateRedactor
  readonly hooks: readonly HookDefinition[]
  readonly routes: readonly RouteDefinition[]
  readonly unauthorizedTools: UnauthorizedTools
  /** Readiness check; rejects while a service is unavailable. */
  readonly readiness?: (() => Promise<void>) | undefined
}

export const NO_TEAM: Team = {
  env: EMPTY_ENV,
  createRedactor,
  hooks: [],
  routes: [],
  unauthorizedTools: 'challenge',
}
