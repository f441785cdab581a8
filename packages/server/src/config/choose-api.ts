/** The API of an upstream, and the header of its key. */

import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import type { ApiConfig } from './shape.ts'
import type { UpstreamVariables } from './upstream-variables.ts'

export function chooseApi(variables: UpstreamVariables, faults: Faults): ApiConfig {
  const [apiKeyHeader = '', template] = splitHeader(variables.UPSTREAM_API_KEY_HEADER)
  const keyHeader = splitHeader(variables.UPSTREAM_KEY_HEADER)[0]
  const ofPeople = { oauth: 'authorization', key: keyHeader, none: undefined }
  if (
    variables.UPSTREAM_API_KEY !== undefined &&
    apiKeyHeader === ofPeople[variables.UPSTREAM_AUTH]
  ) {
    faults.add('UPSTREAM_API_KEY_HEADER', 'must differ from the header for credentials of the user')
  }
  return {
    baseUrl: variables.UPSTREAM_API_URL ?? '',
    apiKeyHeader,
    ...defined({ apiKeyTemplate: template }),
    timeoutMs: variables.UPSTREAM_API_TIMEOUT * 1000,
  }
}

/** Splits `Name: text` into a lower-case name and the text. */
export function splitHeader(given: string): string[] {
  const [, name = given, text] = /^([^:]+): ?(.*)$/.exec(given) ?? []
  return text === undefined ? [name.toLowerCase()] : [name.toLowerCase(), text]
}
