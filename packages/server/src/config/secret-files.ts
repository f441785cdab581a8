/** Secrets in files: NAME_FILE names a file with the value of NAME, as in Docker and Kubernetes. */

import { resolve } from 'node:path'
import type { Faults } from './faults.ts'
import { isSecretOfNamed } from './named-upstreams.ts'
import { SECRET_NAMES, secretFileVariable } from './names.ts'
import { readSecret } from './read-secret.ts'
import type { RawVariables } from './sources.ts'

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
