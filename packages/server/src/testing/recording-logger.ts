/** A logger that records its lines for tests, raw and parsed. */

import { createLogger, type LogLevel, type RootLogger } from '../logger.ts'

export interface Line {
  readonly level: string
  readonly msg?: string
  readonly [field: string]: unknown
}

export function recordingLogger(level: LogLevel = 'trace', secrets: readonly string[] = []) {
  const raw: string[] = []
  const log: RootLogger = createLogger({
    level,
    name: 'test',
    version: '1.2.3',
    secrets,
    destination: { write: (line) => void raw.push(line) },
  })
  return { log, raw, lines: (): Line[] => raw.map((line) => JSON.parse(line)) }
}
