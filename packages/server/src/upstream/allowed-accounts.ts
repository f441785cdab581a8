/** Who may come in of those who can sign in at the provider (`UPSTREAM_ALLOW`). */

import { domainToASCII } from 'node:url'
import type { IDToken } from 'openid-client'
import type { AllowRule } from '../config.ts'
import { type Claims, claimAt } from './claim-path.ts'
import { fetchUserinfo, subjectOf } from './provider-account.ts'
import { providerError } from './provider-failure.ts'
import type { Operate } from './provider-operation.ts'
import type { OpenIdProviderOptions } from './provider-options.ts'

/** Whether one of the rules matches. An address counts only if the same source has verified it. */
export function allowedBy(rules: readonly AllowRule[]): (claims: Claims) => boolean {
  return (claims) => {
    const email = verifiedEmail(claims)
    return rules.some((rule) => {
      if (rule.kind === 'claim') return holds(claimAt(claims, rule.claim), rule.value)
      if (email === undefined) return false
      if (rule.kind === 'domain') return email.domain === rule.domain
      return `${email.local}@${email.domain}` === inLowerCase(rule.email)
    })
  }
}

/**
 * Looks at the ID token, then at userinfo: each for itself, so that an address of one is not vouched
 * for by the other.
 * @throws ProviderError `account_refused`, or `provider_unavailable` where userinfo would decide
 */
export async function requireAllowed(
  { isAllowed }: OpenIdProviderOptions,
  operate: Operate,
  accessToken: string,
  idToken: IDToken | undefined,
): Promise<void> {
  if (isAllowed === undefined || (idToken !== undefined && isAllowed(idToken))) return
  const claims = await operate((configuration) => fetchUserinfo(configuration, accessToken))
  const sub = subjectOf(claims)
  // OpenID Connect Core 1.0 §5.3.2: without the same `sub` the answer must not be used.
  const isSame = sub !== undefined && (idToken === undefined || idToken.sub === claims?.sub)
  if (isSame && isAllowed({ ...claims, sub })) return
  throw providerError('account_refused', 'UPSTREAM_ALLOW does not name this account')
}

/** OpenID Connect Core 1.0 §5.1; some providers write the boolean as text. */
function verifiedEmail({ email, email_verified: verified }: Claims) {
  if (typeof email !== 'string' || (verified !== true && verified !== 'true')) return undefined
  // The host in letters, digits, dots and hyphens alone: the conversion would cut off a slash.
  const [, local, host] = /^([^\s@]+)@([\p{L}\p{N}.-]+)$/u.exec(email) ?? []
  if (local === undefined || host === undefined) return undefined
  return { local: inLowerCase(local), domain: domainToASCII(host).toLowerCase() }
}

/** Of letters in ASCII alone: others may be taken for those of somebody else. */
function inLowerCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

function holds(claim: unknown, value: string): boolean {
  if (Array.isArray(claim)) return claim.some((each) => isScalar(each) && String(each) === value)
  return isScalar(claim) && String(claim) === value
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}
