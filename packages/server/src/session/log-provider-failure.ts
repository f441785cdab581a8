/** Logs a failure at the identity provider: the operation, the reason, and who must act. */

import type { Logger } from '../logger.ts'
import type { ProviderError } from '../upstream/identity-provider.ts'

/** Logs failures that only the operator can correct at `error`, with the variables to check. */
export function logProviderFailure(
  log: Pick<Logger, 'error' | 'warn'>,
  event: string,
  error: ProviderError,
  about: Readonly<Record<string, unknown>> = {},
): void {
  const facts = { err: error, ...error.facts, ...about }
  const { upstream } = about
  const prefix =
    typeof upstream === 'string'
      ? `UPSTREAM_${upstream.toUpperCase().replaceAll('-', '_')}_`
      : 'UPSTREAM_'
  if (error.isClientRefused) {
    const check = ['CLIENT_ID', 'CLIENT_SECRET', 'CLIENT_AUTH']
      .map((name) => prefix + name)
      .join(', ')
    log.error({ ...facts, check }, 'identity provider does not accept this server')
  } else if (error.isOtherIssuer) {
    log.error({ ...facts, check: `${prefix}ISSUER` }, 'identity provider names another issuer')
  } else log.warn(facts, event)
}
