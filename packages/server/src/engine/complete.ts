/** How suggestions for an argument of a prompt or a variable of a template are declared. */

import type { ToolContext } from './context.ts'
import type { Env } from './env.ts'

/** What is known while somebody types. Nobody can be asked anything, nor be sent to sign in. */
export interface CompleteContext<E extends Env = Env>
  extends Omit<ToolContext<never, E>, 'input' | 'ask' | 'progress'> {
  /** What has been chosen for the other arguments or variables. */
  readonly arguments: Readonly<Record<string, string>>
}

interface Completer<E extends Env> {
  complete(
    typed: string,
    context: CompleteContext<E>,
  ): readonly string[] | Promise<readonly string[]>
}

/**
 * Suggests values for what was typed so far; a client gets the first 100. A method's type, so that one
 * for an environment can be kept together with others.
 */
export type Complete<E extends Env = Env> = Completer<E>['complete']
