/**
 * Matches URIs against RFC 6570 URI templates, and extracts the variables' values. The parameters
 * of `{?a,b}` and `{&c}` may occur in any order, and each is optional.
 */

import { matchParts, type Part, type RawValues, type Variable } from './uri-parts.ts'

export interface UriTemplate {
  /** A URI that matches the template, with `x` for every variable. */
  readonly sample: string
  /** Precedence among matching templates: greater values come first. */
  readonly specificity: readonly number[]
  /** The values, still encoded; undefined for a URI that does not match. */
  match(uri: string): RawValues | undefined
}

interface Expression {
  readonly operator: string
  readonly names: readonly { readonly name: string; readonly isList: boolean }[]
}

type Token = string | Expression

const SEGMENT = allBut('/?#')
const SEGMENTS = allBut('?#')
const PAIR = allBut('&#')

/** Prefix, separator and allowed characters of each operator (RFC 6570, 3.2.1). */
const OPERATORS: Readonly<
  Record<string, { first: string; separator: string; accepts: Uint8Array }>
> = {
  '': { first: '', separator: ',', accepts: SEGMENT },
  '+': { first: '', separator: ',', accepts: allBut('') },
  '#': { first: '#', separator: ',', accepts: allBut('') },
  '.': { first: '.', separator: '.', accepts: SEGMENT },
  '/': { first: '/', separator: '/', accepts: SEGMENT },
  '?': { first: '?', separator: '&', accepts: allBut('&') },
  '&': { first: '&', separator: '&', accepts: allBut('&') },
}

const EXPRESSION = /^([^\w%])?([\w.-]+\*?(?:,[\w.-]+\*?)*)$/

/** @throws TypeError that describes the template's fault */
export function compileUriTemplate(template: string): UriTemplate {
  const [pathTokens, queryTokens] = splitAtQuery(readTokens(template))
  const path = pathTokens.flatMap((token) => partsOf(token))
  const query = queryTokens && compileQuery(queryTokens)
  return {
    sample: sampleOf(path) + (query?.sample ?? ''),
    specificity: specificityOf(template),
    match(uri) {
      if (query === undefined) return matchParts(path, uri)
      const found = /^([^?#]*)(?:\?([^#]*))?$/.exec(uri)
      const values = found && matchParts(path, found[1] ?? '')
      return values ? query.match(found?.[2] ?? '', values) : undefined
    },
  }
}

function readTokens(template: string): Token[] {
  const seen = new Set<string>()
  return template.split(/\{([^{}]*)\}/).map((text, index) => {
    if (index % 2 === 1) return readExpression(text, seen)
    if (/[{}]/.test(text)) throw new TypeError('uri has a brace without its counterpart')
    // RFC 6570, 3.1: percent-encodes characters that a URI does not allow.
    return text.replace(/[^\x21-\x7e]|["<>\\^`|]/gu, encodeURIComponent)
  })
}

function readExpression(text: string, seen: Set<string>): Expression {
  const [, operator = '', list = ''] = EXPRESSION.exec(text) ?? []
  if (list === '' || !Object.hasOwn(OPERATORS, operator)) throw unsupported(text)
  const names = list.split(',').map((each) => {
    const isList = each.endsWith('*')
    const name = isList ? each.slice(0, -1) : each
    if (seen.has(name)) throw new TypeError(`uri names the variable "${name}" twice`)
    seen.add(name)
    return { name, isList }
  })
  return { operator, names }
}

/** The tokens before and after the first `?`; no second list without a `?`. */
function splitAtQuery(tokens: readonly Token[]): [Token[], Token[] | undefined] {
  const start = tokens.findIndex((token) =>
    typeof token === 'string' ? token.includes('?') : token.operator === '?',
  )
  const path = start === -1 ? [...tokens] : tokens.slice(0, start)
  const first = tokens[start]
  if (path.some((token) => typeof token !== 'string' && token.operator === '&')) {
    throw new TypeError('uri has a "{&…}" before any "?"')
  }
  if (first === undefined) return [path, undefined]
  const rest = tokens.slice(start + 1)
  if (typeof first !== 'string') return [path, [first, ...rest]]
  const [before = ''] = first.split('?', 1)
  return [
    [...path, before],
    [first.slice(before.length + 1), ...rest],
  ]
}

/**
 * A value with a prefix is optional, together with those after it: `{/a,b}` matches nothing, `/x`
 * or `/x/y`. A dot may belong to the value before, so `{.a}` is required.
 */
function partsOf(token: Token, accepted?: Uint8Array): Part[] {
  if (typeof token === 'string') return token === '' ? [] : [{ text: token, optionalParts: 0 }]
  const { operator, names } = token
  const { first, separator, accepts } = OPERATORS[operator] as (typeof OPERATORS)['']
  const one = accepted ?? accepts
  return names.flatMap(({ name, isList }, index): Part[] => {
    const text = index === 0 ? first : separator
    const variable: Variable = isList
      ? { name, separator, accepts: separator === '/' ? SEGMENTS : one }
      : { name, accepts: names.length > 1 ? without(one, separator) : one }
    const optionalParts = first === '' || first === '.' ? 0 : 2 * (names.length - index)
    return text === '' ? [variable] : [{ text, optionalParts }, variable]
  })
}

/** All ASCII characters except the given ones; URLs contain no others. */
function allBut(characters: string): Uint8Array {
  return without(new Uint8Array(128).fill(1), characters)
}

function without(accepts: Uint8Array, characters: string): Uint8Array {
  const fewer = Uint8Array.from(accepts)
  for (const character of characters) fewer[character.charCodeAt(0)] = 0
  return fewer
}

/** Parameters of `{?a}` and `{&a}` are optional; those written with a `=` are required. */
function compileQuery(tokens: readonly Token[]) {
  const optional = new Map<string, boolean>()
  const pairs: Part[][] = [[]]
  for (const token of tokens) {
    if (typeof token === 'string') {
      const [first = '', ...more] = token.split('&')
      pairs.at(-1)?.push(...partsOf(first))
      for (const text of more) pairs.push(partsOf(text))
    } else if (token.operator === '?' || token.operator === '&') {
      for (const { name, isList } of token.names) optional.set(name, isList)
      pairs.push([])
    } else {
      pairs.at(-1)?.push(...partsOf(token, PAIR))
    }
  }
  const required = pairs.filter((parts) => parts.length > 0)
  const samples = [...required.map(sampleOf), ...[...optional.keys()].map((name) => `${name}=x`)]

  return {
    sample: `?${samples.join('&')}`,
    match(text: string, values: RawValues): RawValues | undefined {
      const open = new Set(required)
      const lists = new Map<string, string[]>()
      for (const pair of text.split('&').filter((each) => each !== '')) {
        const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? []
        const known = values.get(name)
        if (optional.get(name) === true) {
          const list = lists.get(name) ?? []
          list.push(value)
          lists.set(name, list)
          values.set(name, list)
        } else if (optional.has(name)) {
          // A repeated parameter is ambiguous.
          if (known !== undefined) return undefined
          values.set(name, value)
        } else {
          const found = [...open].find((parts) => matchParts(parts, pair) !== undefined)
          if (found === undefined) return undefined
          open.delete(found)
          for (const [key, raw] of matchParts(found, pair) ?? []) values.set(key, raw)
        }
      }
      return open.size === 0 ? values : undefined
    },
  }
}

function sampleOf(parts: readonly Part[]): string {
  return parts.map((part) => ('text' in part ? part.text : 'x')).join('')
}

/** More literal characters first, then fewer `{+…}`, then fewer expressions. */
function specificityOf(template: string): readonly number[] {
  const expressions = template.match(/\{[^{}]*\}/g) ?? []
  const literals = template.length - expressions.join('').length
  const reserved = expressions.filter((each) => /^\{[+#]/.test(each)).length
  return [literals, -reserved, -expressions.length]
}

function unsupported(expression: string): TypeError {
  return new TypeError(
    `uri has {${expression}}, which cannot be matched: use {a}, {a,b}, {a*} and the operators + # . / ? &`,
  )
}
