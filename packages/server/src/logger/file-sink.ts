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
  return new FileSink(openSync(file, 'a', 0o640), createFailureReport(file))
}

class FileSink implements Sink {
  readonly stream = { write: (line: string): void => this.#add(line) }
  readonly #fd: number
  readonly #report: ReturnType<typeof createFailureReport>
  #waiting = ''
  #chunk: Buffer = Buffer.alloc(0)
  #isWriting = false
  #closed = false
  #retry: NodeJS.Timeout | undefined
  #onIdle: () => void = () => undefined

  constructor(fd: number, report: ReturnType<typeof createFailureReport>) {
    this.#fd = fd
    this.#report = report
    process.once('exit', this.flush)
  }

  #add(line: string): void {
    if (this.#waiting.length + line.length > MAX_WAITING_CHARACTERS) return
    // Batches the lines of one event-loop turn into one write.
    const isFirst = this.#waiting === '' && !this.#isWriting
    if (isFirst && !this.#report.isFailing()) setImmediate(this.#writeOn)
    this.#waiting += line
  }

  readonly #writeOn = (): void => {
    if (this.#isWriting || this.#closed) return
    if (this.#chunk.length === 0) {
      this.#chunk = Buffer.from(this.#waiting)
      this.#waiting = ''
    }
    if (this.#chunk.length === 0) {
      this.#onIdle()
      return
    }
    this.#isWriting = true
    write(this.#fd, this.#chunk, (error, written) => {
      this.#isWriting = false
      if (error === null) this.#chunk = this.#chunk.subarray(written)
      this.#report.write(error)
      if (error === null) this.#writeOn()
      else this.#retry = setTimeout(this.#writeOn, RETRY_MS).unref()
    })
  }

  readonly flush = (): void => {
    // Skips the chunk in flight: the thread pool completes that write.
    const unwritten = this.#isWriting ? Buffer.alloc(0) : this.#chunk
    let rest = Buffer.concat([unwritten, Buffer.from(this.#waiting)])
    if (!this.#isWriting) this.#chunk = Buffer.alloc(0)
    this.#waiting = ''
    try {
      while (rest.length > 0 && !this.#closed) rest = rest.subarray(writeSync(this.#fd, rest))
    } catch (error) {
      this.#report.write(error as Error)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    process.off('exit', this.flush)
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
      setTimeout(resolve, LONGEST_CLOSE_MS).unref()
      clearTimeout(this.#retry)
      this.#writeOn()
    })
    this.#closed = true
    closeSync(this.#fd)
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
