/** The tools' logger, which masks the tool's masked values. */

import type { Logger } from '../logger.ts'
import type { Redactor } from '../output/redactor.ts'
import { scrubValue } from './scrub-value.ts'
import type { ToolLog } from './tool-context.ts'

/** Wraps the call's logger; messages and fields pass through the call's redactor. */
export function createToolLog(logger: Logger, redactor: Redactor): ToolLog {
  const at =
    (level: keyof ToolLog) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (!logger.isLevelEnabled(level)) return
      redactor.learn(fields)
      logger[level]({ fields: scrubValue(fields, redactor) }, redactor.scrub(message))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
