/** Declares completions for prompt arguments and template variables. */

import type { Env } from './env.ts'
import type { ToolContext } from './tool-context.ts'

/** The context of a completion, which can neither ask the client nor require a sign-in. */
export interface CompleteContext<E extends Env = Env>
  extends Omit<ToolContext<never, E>, 'input' | 'ask' | 'progress'> {
  /** Values already chosen for the other arguments or variables. */
  readonly arguments: Readonly<Record<string, string>>
}

interface Completer<E extends Env> {
  complete(
    typed: string,
    context: CompleteContext<E>,
  ): readonly string[] | Promise<readonly string[]>
}

/**
 * Suggests values for a partial input; a client gets the first 100. The type of a method, which is
 * bivariant, so that completers of different environments can be stored together.
 */
export type Complete<E extends Env = Env> = Completer<E>['complete']
