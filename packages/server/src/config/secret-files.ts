/** Secrets in files: NAME_FILE names a file with the value of NAME, as in Docker and Kubernetes. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Faults } from './faults.ts'
import { isSecretOfNamed } from './named-upstreams.ts'
import { SECRET_NAMES, secretFileVariable } from './names.ts'
import type { RawVariables } from './sources.ts'

/** A limit; keys and certificates in PEM take a tenth of it. */
const MOST_BYTES = 64 * 1024

const SUFFIX = secretFileVariable('')

/**
 * The variables, with the content of the named files, without the trailing newline. A secret that
 * is set twice, directly and as a file, is a fault, and so is an unreadable file. Paths are
 * relative to `cwd`.
 * @param ofTeam the settings of the team that are secrets
 */
export function readSecretFiles(
  raw: RawVariables,
  { cwd, ofTeam }: { readonly cwd: string; readonly ofTeam: readonly string[] },
  faults: Faults,
): RawVariables {
  const read: Record<string, string> = { ...raw }
  const ofNamed = Object.keys(raw)
    .filter((variable) => variable.endsWith(SUFFIX))
    .map((variable) => variable.slice(0, -SUFFIX.length))
    .filter(isSecretOfNamed)
  for (const name of [...SECRET_NAMES, ...ofTeam, ...ofNamed]) {
    const variable = secretFileVariable(name)
    const path = raw[variable]
    if (path === undefined) continue
    delete read[variable]
    if (raw[name] !== undefined) {
      faults.add(variable, `conflicts with ${name}; set one`)
      continue
    }
    const content = readSecret(resolve(cwd, path))
    if ('fault' in content) faults.add(variable, content.fault)
    else read[name] = content.value
  }
  return read
}

function readSecret(path: string): { readonly value: string } | { readonly fault: string } {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    return { fault: `names a file that cannot be read${code}` }
  }
  if (bytes.length > MOST_BYTES) return { fault: `names a file of more than ${MOST_BYTES} bytes` }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const value = text.replace(/\r?\n$/, '')
    return value === '' ? { fault: 'names an empty file' } : { value }
  } catch {
    return { fault: 'names a file that is not UTF-8 text' }
  }
}
