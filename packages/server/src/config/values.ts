/** The types of values that a variable may have. Each has a description for faults and docs. */

import { z } from 'zod'

export interface ValueFacts {
  /** The required form, to follow "must be". */
  readonly wants: string
  /** The separator of list entries; a space by default. */
  readonly separator?: string
}

export const values = z.registry<ValueFacts>()

/** Free text. */
export function text(wants: string) {
  return z.string().register(values, { wants })
}

/** Text that matches a pattern. */
export function pattern(form: RegExp, wants: string) {
  return z.string().regex(form).register(values, { wants })
}

/** An integer, bounds included. */
export function integer(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .register(values, { wants: `an integer between ${min} and ${max}` })
}

/** A number with or without a fraction, bounds included. */
export function number(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}(\.\d{1,9})?$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .register(values, { wants: `a number between ${min} and ${max}` })
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(...words: Words) {
  return z.enum(words).register(values, { wants: `one of ${words.join(', ')}` })
}

/** Words that match one pattern, separated by spaces. */
export function words(wants: string, form = /^\S+$/) {
  return z
    .string()
    .transform((given) => given.split(/\s+/).filter((word) => word !== ''))
    .pipe(z.array(z.string().regex(form)))
    .register(values, { wants })
}

/** Entries that match one pattern, separated by commas, in lower case. */
export function list(form: RegExp, wants: string) {
  return z
    .string()
    .transform((given) => entries(given).map((entry) => entry.toLowerCase()))
    .pipe(z.array(z.string().regex(form)))
    .register(values, { wants, separator: ',' })
}

/** Names with percent-encoded values, `name=value`, separated by commas (W3C Baggage, 3.3). */
export function pairs(wants: string) {
  return z
    .string()
    .transform((given, context) => parsePairs(given) ?? invalid(context))
    .register(values, { wants })
}

/** Names and values in query-string form; values may be empty. Refuses reserved names. */
export function parameters(wants: string, taken: RegExp) {
  return z
    .string()
    .transform((given, context) => parseQuery(given, taken) ?? invalid(context))
    .register(values, { wants })
}

/** A JSON array of objects; their users validate the contents. */
export function jsonArray(wants: string) {
  return z
    .string()
    .transform((given, context) => parseJson(given) ?? invalid(context))
    .pipe(z.array(z.record(z.string(), z.unknown())))
    .register(values, { wants })
}

/**
 * Scheme, host, port and an optional path, without a trailing slash: no query, fragment or
 * credentials. Refuses the paths of endpoints.
 */
export function baseUrl(wants: string) {
  return httpUrl()
    .refine(
      (url) => /^(?:\/[\w.~-]+)*\/?$/.test(url.pathname) && url.search === '' && url.hash === '',
    )
    .refine((url) => !/\/(?:mcp|sse|http|messages)\/?$/.test(url.pathname))
    .transform((url) => url.origin + url.pathname.replace(/\/$/, ''))
    .register(values, { wants })
}

/** A JSON object whose values are scopes, several separated by spaces. */
export function scopeMap(wants: string) {
  const scopes = z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/)
    .transform((given) => given.split(' '))
  return z
    .string()
    .transform((given, context) => parseJson(given) ?? invalid(context))
    .pipe(z.record(z.string().min(1), scopes))
    .register(values, { wants })
}

/** An http or https URL, unchanged, without query, fragment or credentials. */
export function address(wants: string) {
  return z
    .string()
    .refine((given) => {
      const url = httpUrl().safeParse(given)
      return url.success && !given.includes('#') && !given.includes('?')
    })
    .register(values, { wants })
}

/** Like `address`, but permits a query: OAuth endpoints may have one (RFC 6749, section 3.1). */
export function endpoint(wants: string) {
  return z
    .string()
    .refine((given) => httpUrl().safeParse(given).success && !given.includes('#'))
    .register(values, { wants })
}

/** A fixed number of bytes, as hexadecimal digits, base64 or ASCII characters. */
export function bytes(length: number) {
  return z
    .string()
    .transform((given, context) => decodeBytes(given, length) ?? invalid(context))
    .register(values, { wants: bytesWanted(length) })
}

/** Several of `bytes`, separated by commas. */
export function bytesList(length: number) {
  return z
    .string()
    .transform((given) => entries(given).map((entry) => decodeBytes(entry, length)))
    .pipe(z.array(z.instanceof(Buffer)))
    .register(values, { wants: `a comma-separated list, each ${bytesWanted(length)}` })
}

/** The http or https URL of a proxy: no path, optional credentials and scheme. */
export function proxyUrl(wants: string) {
  return z
    .string()
    .transform((given) => (/^[\w.-]+:\d{1,5}\/?$/.test(given) ? `http://${given}` : given))
    .refine((given) => /^https?:\/\//i.test(given) && URL.canParse(given))
    .transform((given) => new URL(given))
    .refine((url) => url.pathname === '/' && url.search === '' && url.hash === '')
    .refine((url) => isDecodable(url.username) && isDecodable(url.password))
    .transform((url) => url.href)
    .register(values, { wants })
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function httpUrl() {
  return z
    .string()
    .refine((given) => /^https?:\/\//i.test(given) && URL.canParse(given))
    .transform((given) => new URL(given))
    .refine((url) => url.username === '' && url.password === '')
}

function entries(given: string): string[] {
  return given
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

function bytesWanted(length: number): string {
  return `${length} bytes: ${length * 2} hexadecimal digits, base64 or exactly ${length} ASCII characters`
}

/** The three encodings have different lengths, so that they are unambiguous. */
function decodeBytes(given: string, length: number): Buffer | undefined {
  if (given.length === length && /^[\x20-\x7e]*$/.test(given)) return Buffer.from(given, 'ascii')
  if (given.length === length * 2 && /^[0-9a-f]*$/i.test(given)) return Buffer.from(given, 'hex')
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(given)) return undefined
  const decoded = Buffer.from(given, 'base64')
  return decoded.length === length ? decoded : undefined
}

function parsePairs(given: string): Record<string, string> | undefined {
  const matches = entries(given).map((entry) => /^([\w-]+)\s*=\s*(\S.*)$/.exec(entry))
  try {
    const pairs = matches.map((match) => [match?.[1], decodeURIComponent(match?.[2] ?? '%')])
    // RFC 9110, 5.5: the characters that a header value may contain.
    const isSound = pairs.every(([, value]) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value ?? ''))
    return isSound ? Object.fromEntries(pairs) : undefined
  } catch {
    return undefined
  }
}

function parseQuery(given: string, taken: RegExp): Record<string, string> | undefined {
  const pairs = [...new URLSearchParams(given)]
  const names = pairs.map(([name]) => name)
  // An explicit empty value is intended; a missing `=` is a mistake.
  const isSound =
    given.split('&').every((pair) => pair.includes('=')) &&
    names.every((name) => name !== '' && !taken.test(name))
  return isSound && new Set(names).size === names.length ? Object.fromEntries(pairs) : undefined
}

function parseJson(given: string): unknown {
  try {
    return JSON.parse(given)
  } catch {
    return undefined
  }
}

function invalid(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom' })
  return z.NEVER
}
