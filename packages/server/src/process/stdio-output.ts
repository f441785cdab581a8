/** The output stream for protocol messages, separate from printed output. */

import { createWriteStream, fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { isatty, WriteStream as TerminalStream } from 'node:tty'

/** Opens a writable stream on a descriptor of any kind, as `process.stdout` does for 1. */
export function openDescriptor(fd: number): Writable {
  if (isatty(fd)) return new TerminalStream(fd)
  const stats = fstatSync(fd)
  if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: false, writable: true })
  return createWriteStream('', { fd })
}

/** Redirects `process.stdout` to standard error; returns a stream to the real standard output. */
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
