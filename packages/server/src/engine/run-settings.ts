/** Settings shared by all runs of a server. */

import type { Rate } from '../store/rate-limits.ts'
import type { AuditSubject } from './audit-subject.ts'
import type { ToolRequirements } from './define-tool.ts'
import type { Team } from './team.ts'
import type { TextFormat } from './tool-result.ts'
import type { ArgumentsMode } from './validate-input.ts'

export interface RunSettings {
  readonly textFormat: TextFormat
  /** Default timeout of declarations. */
  readonly timeoutSeconds: number
  /** Limit of the content of a result, in bytes; none if left out. */
  readonly resultLimitBytes?: number
  /** `lenient` if left out. */
  readonly arguments?: ArgumentsMode
  /** Whether errors may refer to the tool `login`; default true. */
  readonly hasLoginTool?: boolean
  /** How the audit log names the person; not at all if left out. */
  readonly auditSubject?: AuditSubject
  readonly team: Team
  /**
   * Throws a ToolError for a tool that an operator has blocked; asynchronous only while the list
   * is read.
   */
  readonly refuseBlocked?: (tool: string) => Promise<void> | undefined
}

/** The common part of tool, resource and prompt declarations. */
export interface Declaration {
  readonly name: string
  readonly title?: string
  readonly requires?: ToolRequirements
  readonly timeoutSeconds?: number
  readonly rateLimit?: Rate
}
