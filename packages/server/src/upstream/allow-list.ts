/** The allow-list of accounts that may use this server (`UPSTREAM_ALLOW`). */

import { domainToASCII } from 'node:url'
import type { AllowRule } from '../config.ts'
import { type Claims, claimAt } from './claim-path.ts'

/** Whether one of the rules matches. An email counts only if the same claims say it is verified. */
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

/** OpenID Connect Core 1.0 §5.1; some providers send the boolean as a string. */
function verifiedEmail({ email, email_verified: verified }: Claims) {
  if (typeof email !== 'string' || (verified !== true && verified !== 'true')) return undefined
  // Restricts the host's characters: `domainToASCII` would cut it off at a slash.
  const [, local, host] = /^([^\s@]+)@([\p{L}\p{N}.-]+)$/u.exec(email) ?? []
  if (local === undefined || host === undefined) return undefined
  return { local: inLowerCase(local), domain: domainToASCII(host).toLowerCase() }
}

/** ASCII letters only: Unicode case mapping could turn an address into that of another account. */
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
