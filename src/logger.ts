/** The log: JSON lines with levels, in which no secret appears. */

import { mkdirSync, openSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import pino from 'pino'
import { ChildLogger } from './logger/child-logger.ts'
import { isoTime } from './logger/iso-time.ts'
import type { LineLevel, Logger } from './logger/line-logger.ts'
import { redactFields } from './logger/redact-fields.ts'
import { redactText } from './logger/redact-text.ts'
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
}

const STDOUT = 1
const STDERR = 2
/** What a disk that does not keep up may hold back; further lines are dropped. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024

/** Makes the process's logger. Throws when a file cannot be opened. */
export function createLogger(options: LoggerOptions): RootLogger {
  const sink = openSink(options)
  const audit = options.auditFile === undefined ? undefined : fileSink(options.auditFile)
  const base = { name: options.name, version: options.version, pid: process.pid, host: hostname() }
  const instance = pino(pinoOptions(options, options.level, base), sink.stream)
  // Of a level and a base of its own: the level of the log is not that of the audit log.
  const auditor = audit && pino(pinoOptions(options, 'info', null), audit.stream)
  const { pid: _, ...identity } = base
  const lines = Object.assign(instance, {
    audit(fields: object, message: string): void {
      const event = { stream: 'audit', ...fields }
      if (auditor === undefined) instance.info(event, message)
      else auditor.info({ ...identity, ...event }, message)
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

function pinoOptions(
  { lineFields }: LoggerOptions,
  level: LogLevel,
  base: Record<string, unknown> | null,
): pino.LoggerOptions {
  return {
    ...{ level, base },
    timestamp: isoTime,
    serializers: { err: (err: unknown) => err },
    formatters: {
      level: (label) => ({ level: label }),
      log: redactFields,
    },
    hooks: { streamWrite: (line) => redactText(wellFormedJson(line)) },
    ...(lineFields !== undefined && { mixin: lineFields }),
  }
}

interface Sink {
  readonly stream: LineStream
  flush(): void
  close(): Promise<void>
}

function openSink({ file, destination = 'stdout' }: LoggerOptions): Sink {
  if (file !== undefined) return fileSink(file)
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

function fileSink(file: string): Sink {
  mkdirSync(dirname(file), { recursive: true })
  // Opened here, so that a path that cannot be written stops the start with a clear error.
  const fd = openSync(file, 'a', 0o640)
  const stream = pino.destination({ dest: fd, sync: false, maxLength: MAX_BUFFERED_BYTES })
  stream.on('error', reportOnce(file))
  let closed: Promise<void> | undefined
  return {
    stream,
    flush: () => stream.flushSync(),
    close() {
      closed ??= new Promise((resolve) => {
        stream.once('close', () => resolve())
        stream.end()
      })
      return closed
    },
  }
}

/** A full disk must not stop the server; it is said once, where it can still be said. */
function reportOnce(file: string): (error: Error) => void {
  let isReported = false
  return (error) => {
    if (isReported) return
    isReported = true
    process.stderr.write(`The log file ${file} cannot be written: ${error.message}\n`)
  }
}
