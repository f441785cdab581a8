/** Logger: JSON lines with levels, with secrets redacted. */

import { hostname } from 'node:os'
import pino from 'pino'
import { ChildLogger } from './logger/child-logger.ts'
import { openFileSink, type Sink } from './logger/file-sink.ts'
import type { LineLevel, Logger, LogMethod } from './logger/line-logger.ts'
import { redactFields } from './logger/redact-fields.ts'
import { redactText } from './logger/redact-text.ts'
import { createHideSecrets } from './logger/secret-values.ts'
import { wellFormedJson } from './well-formed.ts'

export type { Logger } from './logger/line-logger.ts'

export type LogLevel = LineLevel | 'silent'

/** The logger of the process, which can also be flushed and closed. */
export interface RootLogger extends Logger {
  /** Writes buffered lines synchronously. */
  flush(): void
  /** Writes buffered lines and closes the file; standard output and error stay open. */
  close(): Promise<void>
}

/** A destination for lines; each ends with a newline. */
export interface LineStream {
  write(line: string): void
}

export interface LoggerOptions {
  readonly level: LogLevel
  readonly name: string
  readonly version: string
  /** Number of the worker that this process is; without it, lines have none. */
  readonly worker?: number | undefined
  /** Path of a file to append to; overrides `destination`. Missing folders are created. */
  readonly file?: string
  /** `stderr` when standard output belongs to the protocol (stdio). Default `stdout`. */
  readonly destination?: 'stdout' | 'stderr' | LineStream
  /** File to append the audit log to; without it, audit events go to this log, at level info. */
  readonly auditFile?: string
  /** Called for each line to add fields, such as the current trace. */
  readonly lineFields?: () => object
  /** Values to redact from every line, in addition to secrets that are recognized by their form. */
  readonly secrets?: readonly string[]
}

const STDOUT = 1
const STDERR = 2

/** As Linux has it, in bytes. */
const PIPE_BUF = 4096

/** Creates the process's logger. Throws if a file cannot be opened. */
export function createLogger(options: LoggerOptions): RootLogger {
  const sink = openSink(options)
  const audit = options.auditFile === undefined ? undefined : openFileSink(options.auditFile)
  const base = baseOf(options)
  const instance = pino(pinoOptions(options, options.level, base), sink.stream)
  // Separate level and base: LOG_LEVEL must not silence the audit log.
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
      const line = `${text}${kind}${members},"msg":"${message}"}\n`
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

/** The fields of every line. */
function baseOf({ name, version, worker }: LoggerOptions) {
  const ofWorker = worker === undefined ? {} : { worker }
  return { name, version, pid: process.pid, host: hostname(), ...ofWorker }
}

/** The fields as members of a JSON object, with a comma before each. */
function membersOf(fields: object | undefined): string {
  if (fields === undefined) return ''
  const text = redactText(wellFormedJson(JSON.stringify(fields)))
  return text === '{}' ? '' : `,${text.slice(1, -1)}`
}

/**
 * Copies fatal lines to standard error if the log goes to a file or is silent: the operator looks
 * there first when a process ends.
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

function openSink({ file, destination = 'stdout', worker }: LoggerOptions): Sink {
  if (file !== undefined) return openFileSink(file)
  if (typeof destination === 'object') return standingSink(destination)
  const dest = destination === 'stdout' ? STDOUT : STDERR
  // Workers share a pipe, where only writes of at most PIPE_BUF bytes are atomic (POSIX, write).
  const atMost = worker === undefined ? undefined : PIPE_BUF
  const stream = writeOnceATurn(pino.destination({ dest, sync: true }), atMost)
  process.once('exit', stream.flush)
  return { stream, flush: stream.flush, close: async () => stream.flush() }
}

export interface TurnWriter extends LineStream {
  /** Writes the buffered lines now. */
  flush(): void
}

/**
 * Batches the lines of one event-loop turn into one write, to save system calls. Flushes in the
 * `setImmediate` of the same turn; call `flush` before the process exits. A write has at most `mostBytes`,
 * unless a single line is longer.
 */
export function writeOnceATurn(
  stream: LineStream,
  mostBytes = Number.POSITIVE_INFINITY,
): TurnWriter {
  let lines = ''
  let bytes = 0
  function flush(): void {
    if (lines === '') return
    const text = lines
    lines = ''
    bytes = 0
    stream.write(text)
  }
  return {
    write(line) {
      if (mostBytes !== Number.POSITIVE_INFINITY) {
        const more = Buffer.byteLength(line)
        if (bytes + more > mostBytes) flush()
        bytes += more
      }
      if (lines === '') setImmediate(flush)
      lines += line
    },
    flush,
  }
}

/** A sink that writes without a buffer and leaves the stream open: its owner closes it. */
function standingSink(stream: LineStream): Sink {
  return { stream, flush: () => {}, close: async () => {} }
}

let lastMs = Number.NaN
let lastText = ''

/** The RFC 3339 timestamp as a JSON member after a comma, pino's format; cached per millisecond. */
export function isoTime(): string {
  const now = Date.now()
  if (now !== lastMs) {
    lastMs = now
    lastText = `,"time":"${new Date(now).toISOString()}"`
  }
  return lastText
}
