/** Appends lines to a file asynchronously. A slow or full disk does not block the server. */

import { closeSync, mkdirSync, openSync, write, writeSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Sink {
  readonly stream: { write(line: string): void }
  /** Writes all buffered lines synchronously; they are lost if the disk is full. */
  flush(): void
  /** Writes all buffered lines, for at most one second, and closes the file. */
  close(): Promise<void>
}

/** Backpressure limit: the maximum of buffered text; drops further lines. */
const MAX_WAITING_CHARACTERS = 16 * 1024 * 1024
const RETRY_MS = 1000
const LONGEST_CLOSE_MS = 1000

/**
 * Opens the file; creates missing folders.
 * @throws when the file cannot be opened, with the system's message
 */
export function openFileSink(file: string): Sink {
  mkdirSync(dirname(file), { recursive: true })
  const fd = openSync(file, 'a', 0o640)
  const report = createFailureReport(file)
  let waiting = ''
  let chunk: Buffer = Buffer.alloc(0)
  let isWriting = false
  let closed = false
  let retry: NodeJS.Timeout | undefined
  let onIdle: () => void = () => undefined

  function writeOn(): void {
    if (isWriting || closed) return
    if (chunk.length === 0) {
      chunk = Buffer.from(waiting)
      waiting = ''
    }
    if (chunk.length === 0) {
      onIdle()
      return
    }
    isWriting = true
    write(fd, chunk, (error, written) => {
      isWriting = false
      if (error === null) chunk = chunk.subarray(written)
      report.write(error)
      if (error === null) writeOn()
      else retry = setTimeout(writeOn, RETRY_MS).unref()
    })
  }

  function flush(): void {
    // Skips the chunk in flight: the thread pool completes that write.
    let rest = Buffer.concat([isWriting ? Buffer.alloc(0) : chunk, Buffer.from(waiting)])
    if (!isWriting) chunk = Buffer.alloc(0)
    waiting = ''
    try {
      while (rest.length > 0 && !closed) rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      report.write(error as Error)
    }
  }

  process.once('exit', flush)
  return {
    stream: {
      write(line) {
        if (waiting.length + line.length > MAX_WAITING_CHARACTERS) return
        // Batches the lines of one event-loop turn into one write.
        if (waiting === '' && !isWriting && !report.isFailing()) setImmediate(writeOn)
        waiting += line
      },
    },
    flush,
    async close() {
      if (closed) return
      process.off('exit', flush)
      await new Promise<void>((resolve) => {
        onIdle = resolve
        setTimeout(resolve, LONGEST_CLOSE_MS).unref()
        clearTimeout(retry)
        writeOn()
      })
      closed = true
      closeSync(fd)
    },
  }
}

/** Reports a disk failure to standard error, once per outage. */
function createFailureReport(file: string) {
  let isFailing = false
  return {
    isFailing: () => isFailing,
    write(error: Error | null): void {
      if (error !== null && !isFailing) {
        process.stderr.write(`The log file ${file} cannot be written: ${error.message}\n`)
      }
      isFailing = error !== null
    },
  }
}
