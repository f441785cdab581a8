/** Log lines that come in the same turn of the event loop leave in one write: each costs 3 to 10 µs. */

interface Writable {
  write(text: string): void
}

export interface TurnWriter extends Writable {
  /** Writes what is there now. */
  flush(): void
}

/** Nothing waits longer than until what is being done is done; call `flush` before the end. */
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
