/** One line of the log for a failure at the identity provider: what was asked, why it failed, who has to act. */

import type { Logger } from '../logger.ts'
import type { ProviderError } from '../upstream/identity-provider.ts'

/** Logs at `error` what only the operator can correct, with the variables to check. */
export function logProviderFailure(
  log: Pick<Logger, 'error' | 'warn'>,
  event: string,
  error: ProviderError,
  about: Readonly<Record<string, unknown>> = {},
): void {
  const facts = { err: error, ...error.facts, ...about }
  if (error.isClientRefused) {
    const check = 'UPSTREAM_CLIENT_ID, UPSTREAM_CLIENT_SECRET, UPSTREAM_CLIENT_AUTH'
    log.error({ ...facts, check }, 'identity provider does not accept this server')
  } else if (error.isOtherIssuer) {
    log.error({ ...facts, check: 'UPSTREAM_ISSUER' }, 'identity provider names another issuer')
  } else log.warn(facts, event)
}
