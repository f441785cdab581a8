/** Batches the log lines of one event-loop turn into one write, to save system calls. */

interface Writable {
  write(text: string): void
}

export interface TurnWriter extends Writable {
  /** Writes the buffered lines now. */
  flush(): void
}

/**
 * Flushes in the `setImmediate` of the same turn; call `flush` before the process exits. A write
 * has at most `mostBytes`, unless a single line is longer.
 */
export function writeOnceATurn(stream: Writable, mostBytes = Number.POSITIVE_INFINITY): TurnWriter {
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
