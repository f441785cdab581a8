/** How a hook is declared: code of a team around every tool call, resource read and prompt. */

import type { ToolAnnotations } from '@modelcontextprotocol/server'
import type { ToolRequirements } from './define-tool.ts'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'
import type { ToolLog } from './tool-context.ts'

/** What is called, as it was declared. */
export interface HookTarget {
  readonly kind: 'tool' | 'resource' | 'prompt'
  readonly name: string
  readonly title?: string | undefined
  /** Of a tool. */
  readonly annotations?: ToolAnnotations | undefined
  readonly requires?: ToolRequirements | undefined
}

/** The client, as it presents itself: for logs, not for decisions. */
export interface HookClient {
  readonly name?: string | undefined
  readonly protocolVersion?: string | undefined
}

/** One object for all functions of all hooks in one round of a call. */
export interface HookCall<E extends Env = Env> extends HookTarget {
  /**
   * A copy of the validated arguments in which masked fields are masked; of a resource, its `uri` and the
   * variables of its template.
   */
  readonly input: Readonly<Record<string, unknown>>
  readonly caller: Caller
  readonly client: HookClient
  /** 1, and 1 more each time the client comes back with what it was asked for. */
  readonly round: number
  readonly settings: E['settings']
  readonly services: E['services']
  /** Aborted when the caller cancels or the time of the function is over. */
  readonly signal: AbortSignal
  readonly log: ToolLog
}

/** What the caller gets. Nothing of it can be changed. */
export type HookOutcome =
  | {
      readonly status: 'ok'
      /** Of a tool with an `output`: after masking. */
      readonly structuredContent?: Readonly<Record<string, unknown>> | undefined
      /** What the model reads: blocks of a tool, contents of a resource, messages of a prompt. */
      readonly content: readonly unknown[]
    }
  | { readonly status: 'error'; readonly code: string; readonly message: string }
  /** The client is asked for something first, and comes back. */
  | { readonly status: 'input_required' }

export interface HookDefinition<E extends Env = Env> {
  /** For log lines. */
  readonly name: string
  /**
   * Runs after the arguments, the scopes and the rate limit were checked, and before a session is
   * opened or somebody has to sign in. Throw a `ToolError` to refuse the call.
   */
  before?(call: HookCall<E>): void | Promise<void>
  /**
   * Runs once the outcome is known, in reverse order, for hooks whose `before` did not refuse. The
   * answer waits for it, at most 5 seconds. An error is logged and changes nothing.
   */
  after?(call: HookCall<E>, outcome: HookOutcome): void | Promise<void>
}

/** Declares a hook. */
export function defineHook(definition: HookDefinition): HookDefinition {
  return definition
}
