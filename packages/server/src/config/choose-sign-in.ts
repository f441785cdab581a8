/** Which accounts may sign in, and whether the upstream can identify them. */

import { type AllowRule, parseAllowRules } from './allow-rules.ts'
import type { Faults } from './faults.ts'
import type { UpstreamConfig } from './shape.ts'
import type { UpstreamVariables } from './upstream-variables.ts'

export function chooseAllow(
  { UPSTREAM_ALLOW: given }: Pick<UpstreamVariables, 'UPSTREAM_ALLOW'>,
  upstream: UpstreamConfig,
  faults: Faults,
): readonly AllowRule[] | undefined {
  if (given === undefined) return undefined
  const allow = parseAllowRules(given, faults)
  if (allow !== undefined && upstream.kind === 'configured') checkClaims(allow, upstream, faults)
  return allow
}

/** A rule on a claim that the provider never issues would refuse everyone. */
function checkClaims(
  allow: readonly AllowRule[],
  { provider, scopes }: UpstreamConfig & { readonly kind: 'configured' },
  faults: Faults,
): void {
  const needsEmail = allow.some(({ kind }) => kind !== 'claim')
  if ('issuer' in provider) {
    if (!needsEmail || scopes.includes('email')) return
    faults.warn(
      'allow_without_email',
      'UPSTREAM_ALLOW names email addresses, and UPSTREAM_SCOPES lacks email: the provider may not name any, and nobody would be allowed',
    )
    return
  }
  if (provider.userinfoEndpoint === undefined) {
    faults.add(
      'UPSTREAM_ALLOW',
      'cannot be checked without UPSTREAM_ISSUER or UPSTREAM_USERINFO_ENDPOINT: nothing else says who signed in',
    )
  } else if (needsEmail) {
    faults.warn(
      'allow_without_email',
      'UPSTREAM_ALLOW names email addresses: they count only if the response of UPSTREAM_USERINFO_ENDPOINT has email_verified, which many services without OpenID Connect omit',
    )
  }
}
