/** Declares hooks: a team's code around every tool call, resource read and prompt. */

import type { ToolAnnotations } from '@modelcontextprotocol/server'
import type { ToolRequirements } from './define-tool.ts'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'
import type { ToolLog } from './tool-context.ts'

/** The declaration that is called. */
export interface HookTarget {
  readonly kind: 'tool' | 'resource' | 'prompt'
  readonly name: string
  readonly title?: string | undefined
  /** Tools only. */
  readonly annotations?: ToolAnnotations | undefined
  readonly requires?: ToolRequirements | undefined
}

/** The client's self-declared facts: for logs, not for decisions. */
export interface HookClient {
  readonly name?: string | undefined
  readonly protocolVersion?: string | undefined
}

/** The call, shared by all functions of all hooks in one round. */
export interface HookCall<E extends Env = Env> extends HookTarget {
  /**
   * A copy of the validated arguments with masked fields masked; for a resource, its `uri` and the
   * variables of its template.
   */
  readonly input: Readonly<Record<string, unknown>>
  readonly caller: Caller
  readonly client: HookClient
  /** Starts at 1; incremented each time the client returns with answers. */
  readonly round: number
  readonly settings: E['settings']
  readonly services: E['services']
  /** Aborted when the caller cancels or the function times out. */
  readonly signal: AbortSignal
  readonly log: ToolLog
}

/** The outcome for the caller; frozen. */
export type HookOutcome =
  | {
      readonly status: 'ok'
      /** Tools with an `output` only; masked. */
      readonly structuredContent?: Readonly<Record<string, unknown>> | undefined
      /** Content blocks of a tool, contents of a resource, messages of a prompt. */
      readonly content: readonly unknown[]
    }
  | { readonly status: 'error'; readonly code: string; readonly message: string }
  /** The client must answer questions first, and retries. */
  | { readonly status: 'input_required' }

export interface HookDefinition<E extends Env = Env> {
  /** For log lines. */
  readonly name: string
  /**
   * Runs after the arguments, the scopes and the rate limit were checked, and before a session is
   * opened or a sign-in is required. Throw a `ToolError` to reject the call.
   */
  before?(call: HookCall<E>): void | Promise<void>
  /**
   * Runs once the outcome is known, in reverse order, for hooks whose `before` did not reject.
   * Delays the response by at most 5 seconds. Errors are logged and do not change the outcome.
   */
  after?(call: HookCall<E>, outcome: HookOutcome): void | Promise<void>
}

/** Declares a hook. */
export function defineHook(definition: HookDefinition): HookDefinition {
  return definition
}
