/**
 * Encrypts a secret for the configuration, such as REDIS_P, with ENCRYPTION_KEY and ENCRYPTION_IV
 * from the environment, `--env NAME` or `.env`. Prompts for the secret or reads it from standard
 * input; an argument would stay in the shell's history and show in the process list. `--generate`
 * prints a new key, IV and JWT_SECRET instead, and a REDIS_PASSWORD for the Redis that compose.yaml
 * starts.
 */

import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { loadSecretKey } from '../config/secret-key.ts'
import { encryptConfigSecret } from '../crypto/config-secret.ts'
import { UsageError } from './command-line.ts'

const REFUSAL = `No secret is taken from arguments: they stay in the shell's history.
Run it without, and type the secret when asked; or send it to standard input.
Options: --env NAME, --generate, --project FOLDER`

/** Prints the encrypted secret, or newly generated keys. */
export async function encrypt(args: readonly string[]): Promise<void> {
  console.log(await answerTo([...args]))
}

async function answerTo(argv: string[]): Promise<string> {
  const { generate, project } = parseOptions(argv)
  if (generate) {
    const [key, iv] = [randomBytes(32), randomBytes(16)].map((bytes) => bytes.toString('hex'))
    const jwtSecret = randomBytes(32).toString('base64url')
    // Hexadecimal: the password is part of a URL, where other characters would need escaping.
    const redisPassword = randomBytes(24).toString('hex')
    return [
      `ENCRYPTION_KEY=${key}`,
      `ENCRYPTION_IV=${iv}`,
      `JWT_SECRET=${jwtSecret}`,
      `REDIS_PASSWORD=${redisPassword}`,
    ].join('\n')
  }
  const secretKey = loadSecretKey({ argv, env: process.env, cwd: resolve(project) })
  const secret = process.stdin.isTTY ? await askHidden() : await readPiped()
  if (secret === '') throw new UsageError('The secret to encrypt is empty.')
  return encryptConfigSecret(secret, secretKey)
}

function parseOptions(argv: string[]): { generate: boolean; project: string } {
  try {
    const text = { type: 'string' } as const
    const options = { env: text, project: text, generate: { type: 'boolean' } } as const
    const { values } = parseArgs({ args: argv, options, strict: true, allowPositionals: false })
    return { generate: values.generate === true, project: values.project ?? '.' }
  } catch {
    // The message of parseArgs repeats the argument, which may be the secret.
    throw new UsageError(REFUSAL)
  }
}

/** Prompts on standard error and does not echo the input. */
async function askHidden(): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const interrupted = new Promise<never>((_, reject) => {
    prompt.once('SIGINT', () => reject(new UsageError('Interrupted.')))
  })
  process.stderr.write('Secret (it is not shown): ')
  try {
    return await Promise.race([prompt.question(''), interrupted])
  } finally {
    prompt.close()
    process.stderr.write('\n')
  }
}

/** Reads all of standard input, without the trailing line break that `echo` adds. */
async function readPiped(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, '')
}
