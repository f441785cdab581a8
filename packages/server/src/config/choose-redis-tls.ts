/** TLS to Redis: certificate authorities and a client certificate, from PEM files. */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import type { Variables } from './variables.ts'

/** PEM texts. */
export interface RedisTls {
  /** Replace the certificate authorities of Node. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

const NAMES = ['REDIS_CA', 'REDIS_TLS_NAME', 'REDIS_CERT', 'REDIS_KEY'] as const

/** Reads and checks the files, relative to `cwd`. Undefined if none is named. */
export function chooseRedisTls(
  variables: Variables,
  isTls: boolean,
  cwd: string,
  faults: Faults,
): RedisTls | undefined {
  const set = NAMES.filter((name) => variables[name] !== undefined)
  if (!isTls) {
    for (const name of set) {
      faults.add(name, 'needs TLS: rediss in REDIS_URL, or REDIS_TLS=on')
    }
    return undefined
  }
  const { REDIS_CA, REDIS_CERT, REDIS_KEY } = variables
  if (REDIS_CERT !== undefined && REDIS_KEY === undefined) {
    faults.add('REDIS_KEY', 'is required with REDIS_CERT')
  }
  if (REDIS_KEY !== undefined && REDIS_CERT === undefined) {
    faults.add('REDIS_CERT', 'is required with REDIS_KEY')
  }
  const read = (name: (typeof NAMES)[number], path: string | undefined, isSound: Check) =>
    path === undefined ? undefined : readPem(name, resolve(cwd, path), isSound, faults)
  const ca = read('REDIS_CA', REDIS_CA, isCertificate)
  const cert = read('REDIS_CERT', REDIS_CERT, isCertificate)
  const key = read('REDIS_KEY', REDIS_KEY, isPrivateKey)
  if (cert !== undefined && key !== undefined && !belongTogether(cert, key)) {
    faults.add('REDIS_KEY', 'must be the private key of REDIS_CERT')
  }
  return set.length === 0 ? undefined : defined({ ca, cert, key })
}

type Check = (pem: string) => boolean

function readPem(name: string, path: string, isSound: Check, faults: Faults): string | undefined {
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    faults.add(name, `names a file that cannot be read${code}`)
    return undefined
  }
  if (isSound(pem)) return pem
  const what = isSound === isPrivateKey ? 'a private key without a passphrase' : 'certificates'
  faults.add(name, `must name a PEM file with ${what}`)
  return undefined
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function isCertificate(pem: string): boolean {
  const found = pem.match(CERTIFICATE) ?? []
  return found.length > 0 && found.every((each) => parses(() => new X509Certificate(each)))
}

function isPrivateKey(pem: string): boolean {
  return parses(() => createPrivateKey(pem))
}

function belongTogether(cert: string, key: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
}

function parses(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch {
    return false
  }
}
