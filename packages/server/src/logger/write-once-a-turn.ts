/** Batches the log lines of one event-loop turn into one write, to save system calls. */

interface Writable {
  write(text: string): void
}

export interface TurnWriter extends Writable {
  /** Writes the buffered lines now. */
  flush(): void
}

/** Flushes in the `setImmediate` of the same turn; call `flush` before the process exits. */
export function writeOnceATurn(stream: Writable): TurnWriter {
  let lines = ''
  function flush(): void {
    if (lines === '') return
    const text = lines
    lines = ''
    stream.write(text)
  }
  return {
    write(line) {
      if (lines === '') setImmediate(flush)
      lines += line
    },
    flush,
  }
}
