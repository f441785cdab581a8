/** `UPSTREAM_PRESET`: applies a provider's known settings as defaults below the operator's. */

import type { Faults } from './faults.ts'
import { type Dialect, PRESET_NAMES, presets } from './presets.ts'
import type { RawVariables } from './sources.ts'

const PARAMETERS = 'UPSTREAM_AUTHORIZATION_PARAMETERS'

function presetOf({ UPSTREAM_PRESET: given }: RawVariables) {
  const name = PRESET_NAMES.find((each) => each === given)
  return name && presets[name]
}

/** How the provider deviates from the standards; undefined for one that follows them. */
export function dialectOf(raw: RawVariables): Dialect | undefined {
  return presetOf(raw)?.dialect
}

/** The variables, with those of the preset as defaults. An unknown preset is a fault. */
export function applyPreset(raw: RawVariables, faults: Faults): RawVariables {
  const defaults = presetOf(raw)?.variables
  if (defaults === undefined) return raw
  const hasEndpoints = defaults.UPSTREAM_TOKEN_ENDPOINT !== undefined
  if (hasEndpoints && raw.UPSTREAM_ISSUER !== undefined) {
    faults.add('UPSTREAM_ISSUER', `conflicts with UPSTREAM_PRESET=${raw.UPSTREAM_PRESET}; set one`)
  }
  const parameters = mergeParameters(defaults[PARAMETERS], raw[PARAMETERS])
  return { ...defaults, ...raw, ...(parameters !== undefined && { [PARAMETERS]: parameters }) }
}

/** The preset's parameters that the operator has not set, then the operator's, unchanged. */
function mergeParameters(defaults: string | undefined, given: string | undefined) {
  if (defaults === undefined || given === undefined) return given ?? defaults
  const own = new URLSearchParams(given)
  const left = [...new URLSearchParams(defaults)].filter(([name]) => !own.has(name))
  return [...left.map(([name, value]) => `${name}=${value}`), given].join('&')
}
