/**
 * Computes the next version and updates the files that contain it: one version for all packages.
 */

export const KINDS = ['patch', 'minor', 'major'] as const

export type Kind = (typeof KINDS)[number]

/** A condition that prevents a release; the message says what to do. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError'
}

/** The version after `version` (Semantic Versioning 2.0.0, sections 6 to 8). */
export function nextVersion(version: string, kind: Kind): string {
  const parts = /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1).map(Number)
  if (parts === undefined) throw new ReleaseError(`${version} is no version such as 1.2.3`)
  const [major = 0, minor = 0, patch = 0] = parts
  if (kind === 'major') return `${major + 1}.0.0`
  return kind === 'minor' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`
}

export interface Manifest {
  readonly name?: string
  version?: string
  readonly [field: string]: unknown
}

const DEPENDENCIES = [
  'dependencies',
  'devDependencies',
  'peerDependencies',
  'optionalDependencies',
] as const

/** Sets version ranges of our packages, such as `^0.1.0`, to `version`; keeps `*`. */
export function setRanges(manifest: Manifest, version: string, ours: ReadonlySet<string>): void {
  for (const field of DEPENDENCIES) {
    const ranges = (manifest[field] ?? {}) as Record<string, string>
    for (const [name, range] of Object.entries(ranges)) {
      if (ours.has(name) && range.startsWith('^')) ranges[name] = `^${version}`
    }
  }
}

/**
 * Moves the entries under "Unreleased" to a section with the version and date.
 * @throws ReleaseError if there are none
 */
export function releaseChangelog(text: string, version: string, date: string): string {
  const [, before = '', changes] =
    /^(.*?^## Unreleased\n)(.*?)(?=^## |$(?![\s\S]))/ms.exec(text) ?? []
  if (changes === undefined) throw new ReleaseError('CHANGELOG.md has no heading "## Unreleased"')
  if (changes.trim() === '') throw new ReleaseError('CHANGELOG.md has nothing under "Unreleased"')
  return `${before}\n## ${version} - ${date}\n${text.slice(before.length)}`
}
