/** Visibility of declarations: a hidden declaration does not exist for the caller. */

import type { Logger } from '../logger.ts'
import type { ToolRequirements } from './define-tool.ts'
import type { Env } from './env.ts'
import { type Caller, hasToken } from './identity.ts'
import type { Team } from './team.ts'

export interface Declared {
  readonly name: string
  readonly requires?: ToolRequirements | undefined
  visible?(caller: Caller, env: Env): boolean
}

type Rules = Pick<Team, 'env' | 'unauthorizedTools'>

/** Whether a caller may see a declaration. If `visible` throws, hides it and logs the error. */
export function isVisible(
  { env, unauthorizedTools }: Rules,
  declared: Declared,
  caller: Caller,
  log: Logger,
): boolean {
  const { name, requires } = declared
  if (unauthorizedTools === 'hide' && hasToken(caller)) {
    const scopes = requires?.scopes ?? []
    if (scopes.some((scope) => !caller.scopes.includes(scope))) return false
  }
  if (declared.visible === undefined) return true
  try {
    const answer: unknown = declared.visible(caller, env)
    if (typeof answer === 'boolean') return answer
    throw new TypeError('visible must return true or false, without waiting')
  } catch (error) {
    log.error({ err: error, hidden: name }, 'visible failed')
    return false
  }
}

/** Whether visibility may depend on the caller; if not, clients may cache the lists. */
export function mayHide({ unauthorizedTools }: Rules, declared: Iterable<Declared>): boolean {
  for (const { visible, requires } of declared) {
    if (visible !== undefined) return true
    if (unauthorizedTools === 'hide' && (requires?.scopes ?? []).length > 0) return true
  }
  return false
}
