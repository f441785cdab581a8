/** `UPSTREAM_ALLOW`: an allow list of accounts; a sign-in is accepted if one entry matches. */

import { domainToASCII } from 'node:url'
import type { Faults } from './faults.ts'

export type AllowRule =
  /** Verified email addresses of this domain, in lower case, not including its subdomains. */
  | { readonly kind: 'domain'; readonly domain: string }
  /** This verified email address. */
  | { readonly kind: 'email'; readonly email: string }
  /** A claim that equals this value, or is a list that contains it; compared exactly. */
  | { readonly kind: 'claim'; readonly claim: string; readonly value: string }

const DOMAIN = /^(?!-)[a-z\d-]+(\.[a-z\d-]+)+$/
const SHORT_FORMS: Readonly<Record<string, string>> = { sub: 'sub', group: 'groups' }

/** Parses the list. Faults name entries by their position, starting at 1. */
export function parseAllowRules(given: string, faults: Faults): readonly AllowRule[] {
  const entries = given.split(',').map((entry) => entry.trim())
  const refuse = (message: string) => void faults.add('UPSTREAM_ALLOW', message)
  if (entries.every((entry) => entry === '')) refuse('must have at least one entry, or be left out')
  return entries.flatMap((entry, index) => {
    if (entry === '') return []
    const rule = parseRule(entry)
    if (typeof rule !== 'string') return [rule]
    refuse(`entry ${index + 1} ${rule}`)
    return []
  })
}

/** The rule, or the error message. */
function parseRule(entry: string): AllowRule | string {
  const [, form, rest = ''] = /^(domain|email|sub|group):(.*)$/s.exec(entry) ?? []
  if (form === 'domain') return domainRule(rest)
  if (form === 'email') return emailRule(rest)
  if (form !== undefined) return claimRule(SHORT_FORMS[form] ?? form, rest)
  if (entry.startsWith('@')) return domainRule(entry.slice(1))
  const [, claim, value = ''] = /^([^=\s]+)=(.*)$/s.exec(entry) ?? []
  if (claim !== undefined) return claimRule(claim, value)
  return entry.includes('@') ? emailRule(entry) : FORMS
}

const FORMS = 'must be @domain, an email address, sub:ID, group:NAME or claim=value'

function domainRule(given: string): AllowRule | string {
  const domain = toDomain(given)
  if (domain === undefined) return 'must name a domain such as @example.com, without wildcards'
  return { kind: 'domain', domain }
}

function emailRule(given: string): AllowRule | string {
  const [, local, host = ''] = /^([^\s@*]+)@([^\s@]+)$/.exec(given) ?? []
  const domain = toDomain(host)
  if (local === undefined || domain === undefined) return 'must be an email address'
  return { kind: 'email', email: `${local}@${domain}` }
}

/** The domain in ASCII (IDNA) and lower case; undefined if it is invalid. */
function toDomain(given: string): string | undefined {
  if (!/^[\p{L}\p{N}.-]+$/u.test(given)) return undefined
  const domain = domainToASCII(given).toLowerCase()
  return DOMAIN.test(domain) ? domain : undefined
}

function claimRule(claim: string, encoded: string): AllowRule | string {
  if (claim === 'email') return 'must be the address alone: only verified addresses count'
  if (encoded === '') return `must have a value after ${claim}`
  try {
    return { kind: 'claim', claim, value: decodeURIComponent(encoded) }
  } catch {
    return 'must be percent-encoded: %25 for a percent sign, %2C for a comma'
  }
}
