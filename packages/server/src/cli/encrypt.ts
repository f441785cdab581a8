/**
 * Encrypts a secret for the configuration, such as REDIS_P, with ENCRYPTION_KEY and ENCRYPTION_IV
 * from the environment, `--env NAME` or `.env`. The secret is asked for, or read from standard
 * input; arguments would stay in the shell's history and show in the list of processes.
 * `--generate` prints a fresh key and vector instead, a JWT_SECRET, and a REDIS_PASSWORD for the Redis
 * that compose.yaml starts.
 */

import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { loadSecretKey } from '../src/config/secret-key.ts'
import { ConfigError } from '../src/config.ts'
import { encryptConfigSecret } from '../src/crypto/config-secret.ts'

const REFUSAL = `No secret is taken from arguments: they stay in the shell's history.
Run it without, and type the secret when asked; or send it to standard input.
Options: --env NAME, --generate`

class Refusal extends Error {}

async function main(argv: string[]): Promise<string> {
  const { generate } = parseOptions(argv)
  if (generate) {
    const [key, iv] = [randomBytes(32), randomBytes(16)].map((bytes) => bytes.toString('hex'))
    const jwtSecret = randomBytes(32).toString('base64url')
    // Part of an address, where many characters would have to be escaped.
    const redisPassword = randomBytes(24).toString('hex')
    return [
      `ENCRYPTION_KEY=${key}`,
      `ENCRYPTION_IV=${iv}`,
      `JWT_SECRET=${jwtSecret}`,
      `REDIS_PASSWORD=${redisPassword}`,
    ].join('\n')
  }
  const secretKey = loadSecretKey({ argv, env: process.env, cwd: process.cwd() })
  const secret = process.stdin.isTTY ? await askHidden() : await readPiped()
  if (secret === '') throw new Refusal('There was no secret to encrypt.')
  return encryptConfigSecret(secret, secretKey)
}

function parseOptions(argv: string[]): { generate: boolean } {
  try {
    const options = { env: { type: 'string' }, generate: { type: 'boolean' } } as const
    const { values } = parseArgs({ args: argv, options, strict: true, allowPositionals: false })
    return { generate: values.generate === true }
  } catch {
    // The message of parseArgs repeats the argument, which may be the secret.
    throw new Refusal(REFUSAL)
  }
}

/** Asks on standard error and shows nothing of what is typed. */
async function askHidden(): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const interrupted = new Promise<never>((_, reject) => {
    prompt.once('SIGINT', () => reject(new Refusal('Interrupted.')))
  })
  process.stderr.write('Secret (it is not shown): ')
  try {
    return await Promise.race([prompt.question(''), interrupted])
  } finally {
    prompt.close()
    process.stderr.write('\n')
  }
}

/** All of standard input, without the line break that `echo` adds. */
async function readPiped(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, '')
}

try {
  console.log(await main(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof Refusal || error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
