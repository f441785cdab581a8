/** Prerequisites from earlier checks; if one is missing, skips the check with the reason. */

import { type Finding, skipped } from './findings.ts'
import type { Check, RegisteredClient, ServerMetadata, Visit } from './visit.ts'

type Findings = Promise<readonly Finding[]>

/** For checks of the built-in authorization server. */
export function needsServer(run: (visit: Visit, server: ServerMetadata) => Findings): Check['run'] {
  return async (visit) => {
    const { builtIn, noBuiltIn } = visit.facts
    return builtIn === undefined ? [skipped(noBuiltIn)] : run(visit, builtIn)
  }
}

/** For checks that require a registered client. */
export function needsClient(
  run: (visit: Visit, server: ServerMetadata, client: RegisteredClient) => Findings,
): Check['run'] {
  return needsServer(async (visit, server) => {
    const { client } = visit.facts
    if (client === undefined) return [skipped('It needs a registered client, and there is none.')]
    return run(visit, server, client)
  })
}

/** Why `/mcp` cannot be checked; undefined if it can, with a token or without. */
export function noAccess({ facts }: Visit): Finding | undefined {
  if (facts.accessToken !== undefined || facts.mcpIsGuarded === false) return undefined
  return skipped(
    'It needs an access token, and the doctor has none. Put one into the variable DOCTOR_TOKEN (`npx @mcp-template/doctor token URL` prints one).',
  )
}
