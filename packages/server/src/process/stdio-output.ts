/** The stream that carries the protocol to the client, apart from whatever is printed. */

import { createWriteStream, fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { isatty, WriteStream as TerminalStream } from 'node:tty'

/** A stream on an open descriptor, of whatever kind; `process.stdout` does the same for 1. */
export function openDescriptor(fd: number): Writable {
  if (isatty(fd)) return new TerminalStream(fd)
  const stats = fstatSync(fd)
  if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: false, writable: true })
  return createWriteStream('', { fd })
}

/** From now on `process.stdout` writes to standard error; gives a stream to standard output. */
export function redirectStdout(): Writable {
  const { stdout, stderr } = process
  const write = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  const output = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => void write(chunk, done),
  })
  stdout.on('error', (error) => output.destroy(error))
  return output
}
