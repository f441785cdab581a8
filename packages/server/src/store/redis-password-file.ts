/** A password of Redis in a file that may change while the server runs, such as a short-lived token. */

import { readSecret } from '../config/read-secret.ts'

/** The file has no password. The message has neither its path nor its content. */
export class PasswordFileError extends Error {
  override readonly name = 'PasswordFileError'
}

/**
 * Reads the file for each new connection. Synchronous, so that nothing arrives before the first
 * command of a connection: node-redis crashes on such a reply, as of a server without a free
 * connection.
 * @param variable the variable that names the file
 * @returns a function that throws PasswordFileError
 */
export function passwordIn(path: string, variable: string): () => string {
  return () => {
    const content = readSecret(path)
    if ('fault' in content) throw new PasswordFileError(`${variable} ${content.fault}`)
    return content.value
  }
}
