/** What all runs of a server have in common. */

import type { TextFormat } from '../output/text.ts'
import type { Rate } from '../store/rate-limits.ts'
import type { ToolRequirements } from './define-tool.ts'
import type { Team } from './team.ts'
import type { ArgumentsMode } from './validate-input.ts'

export interface RunSettings {
  readonly textFormat: TextFormat
  /** For what sets none of its own. */
  readonly timeoutSeconds: number
  /** `lenient` if left out. */
  readonly arguments?: ArgumentsMode
  /** Whether an error can name the tool `login`; it can if left out. */
  readonly hasLoginTool?: boolean
  readonly team: Team
}

/** What tools, resources and prompts declare alike. */
export interface Declaration {
  readonly name: string
  readonly title?: string
  readonly requires?: ToolRequirements
  readonly timeoutSeconds?: number
  readonly rateLimit?: Rate
}
