/** Contexts of resource reads and completions. */

import type { CompleteContext } from './complete.ts'
import type { ResourceRequest } from './define-resource.ts'
import type { Variables } from './find-resource.ts'
import { type Run, RunContext } from './run-context.ts'

/** The context of a resource's `read`. */
export class ReadContext extends RunContext implements ResourceRequest {
  readonly uri: URL
  readonly variables: Variables

  constructor(uri: URL, variables: Variables, run: Run) {
    super(variables, run)
    this.uri = uri
    this.variables = variables
  }
}

/** The context of a completion for an argument or a variable. */
export class SuggestContext extends RunContext implements CompleteContext {
  readonly arguments: Readonly<Record<string, string>>

  constructor(given: Readonly<Record<string, string>>, run: Run) {
    super(given, run)
    this.arguments = given
  }
}
