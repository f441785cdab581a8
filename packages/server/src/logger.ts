/** The log: JSON lines with levels, in which no secret appears. */

import { hostname } from 'node:os'
import pino from 'pino'
import { ChildLogger } from './logger/child-logger.ts'
import { openFileSink, type Sink } from './logger/file-sink.ts'
import type { LineLevel, Logger, LogMethod } from './logger/line-logger.ts'
import { redactFields } from './logger/redact-fields.ts'
import { redactText } from './logger/redact-text.ts'
import { createHideSecrets } from './logger/secret-values.ts'
import { writeOnceATurn } from './logger/write-once-a-turn.ts'
import { wellFormedJson } from './well-formed.ts'

export type { Logger } from './logger/line-logger.ts'

export type LogLevel = LineLevel | 'silent'

/** The logger of the process, which is also ended with it. */
export interface RootLogger extends Logger {
  /** Writes what is buffered, before it returns. */
  flush(): void
  /** Writes what is buffered and closes the file; standard output and error stay open. */
  close(): Promise<void>
}

/** Anything that takes lines; each ends with a newline. */
export interface LineStream {
  write(line: string): void
}

export interface LoggerOptions {
  readonly level: LogLevel
  readonly name: string
  readonly version: string
  /** A path to append to; wins over `destination`. Missing folders are made. */
  readonly file?: string
  /** `stderr` when standard output belongs to the protocol (stdio). Default `stdout`. */
  readonly destination?: 'stdout' | 'stderr' | LineStream
  /** Where the audit log is appended to; without it, it is part of this log, at the level info. */
  readonly auditFile?: string
  /** Asked at each line for fields of its own, such as the current trace. */
  readonly lineFields?: () => object
  /** Values that no line shows, besides those that are recognized by their form. */
  readonly secrets?: readonly string[]
}

const STDOUT = 1
const STDERR = 2

/** Makes the process's logger. Throws when a file cannot be opened. */
export function createLogger(options: LoggerOptions): RootLogger {
  const sink = openSink(options)
  const audit = options.auditFile === undefined ? undefined : openFileSink(options.auditFile)
  const base = { name: options.name, version: options.version, pid: process.pid, host: hostname() }
  const instance = pino(pinoOptions(options, options.level, base), sink.stream)
  // Of a level and a base of its own: the level of the log is not that of the audit log.
  const auditor = audit && pino(pinoOptions(options, 'info', null), audit.stream)
  const { pid: _, ...identity } = base
  const knownStart = { info: membersOf(base), audit: membersOf(identity) }
  const fatal = fatalTo(instance, options, base)
  const lines = Object.assign(instance, {
    ...(fatal && { fatal }),
    audit(fields: object, message: string): void {
      const event = { stream: 'audit', ...fields }
      if (auditor === undefined) instance.info(event, message)
      else auditor.info({ ...identity, ...event }, message)
    },
    known(log: 'info' | 'audit', members: string, message: string): void {
      const isApart = log === 'audit' && audit !== undefined
      if (!isApart && !instance.isLevelEnabled('info')) return
      const kind = log === 'audit' ? ',"stream":"audit"' : ''
      const start = isApart ? knownStart.audit : knownStart.info
      const text = `{"level":"info"${isoTime()}${start}${membersOf(options.lineFields?.())}`
      const line = `${text}${kind}${members},"msg":${JSON.stringify(message)}}\n`
      if (isApart) audit.stream.write(line)
      else sink.stream.write(line)
    },
  })
  return Object.assign(lines, {
    child: (fields: object) => new ChildLogger(lines, fields),
    flush() {
      sink.flush()
      audit?.flush()
    },
    async close() {
      await Promise.all([sink.close(), audit?.close()])
    },
  })
}

/** The fields as members of a JSON object, with a comma before each. */
function membersOf(fields: object | undefined): string {
  const text = redactText(wellFormedJson(JSON.stringify(fields ?? {})))
  return text === '{}' ? '' : `,${text.slice(1, -1)}`
}

/**
 * The last line of a process is on standard error as well if the log is in a file, or silent: whoever
 * started the process reads that first.
 */
function fatalTo(
  instance: pino.Logger,
  options: LoggerOptions,
  base: Record<string, unknown>,
): LogMethod | undefined {
  if (options.file === undefined && options.level !== 'silent') return undefined
  const stderr = pino(
    pinoOptions(options, 'fatal', base),
    pino.destination({ dest: STDERR, sync: true }),
  )
  const toFile = instance.fatal.bind(instance) as LogMethod
  return (...args) => {
    toFile(...args)
    const [first, message] = args
    if (typeof first === 'string') stderr.fatal(first)
    else stderr.fatal(first, message)
  }
}

function pinoOptions(
  { lineFields, secrets = [] }: LoggerOptions,
  level: LogLevel,
  base: Record<string, unknown> | null,
): pino.LoggerOptions {
  const hideSecrets = createHideSecrets(secrets)
  return {
    ...{ level, base },
    timestamp: isoTime,
    serializers: { err: (err: unknown) => err },
    formatters: {
      level: (label) => ({ level: label }),
      log: redactFields,
    },
    hooks: { streamWrite: (line) => hideSecrets(redactText(wellFormedJson(line))) },
    ...(lineFields !== undefined && { mixin: lineFields }),
  }
}

function openSink({ file, destination = 'stdout' }: LoggerOptions): Sink {
  if (file !== undefined) return openFileSink(file)
  if (typeof destination === 'object') return standingSink(destination)
  const dest = destination === 'stdout' ? STDOUT : STDERR
  const stream = writeOnceATurn(pino.destination({ dest, sync: true }))
  process.once('exit', stream.flush)
  return { stream, flush: stream.flush, close: async () => stream.flush() }
}

/** Writes at once and is not ours to close. */
function standingSink(stream: LineStream): Sink {
  return { stream, flush: () => {}, close: async () => {} }
}

let lastMs = Number.NaN
let lastText = ''

/** As pino wants it, a member of JSON with the comma before it: one text for all lines of a millisecond (RFC 3339). */
export function isoTime(): string {
  const now = Date.now()
  if (now !== lastMs) {
    lastMs = now
    lastText = `,"time":"${new Date(now).toISOString()}"`
  }
  return lastText
}
