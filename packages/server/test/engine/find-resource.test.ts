/** Which resource a URI names, and the values of its variables (RFC 6570, matched; RFC 3986, 2.4). */

import { describe, expect, test } from 'vitest'
import { checkDeclaredUri, createFindResource } from '../../src/engine/find-resource.ts'

/** Names resources by their URIs. */
function finder(...uris: string[]) {
  const find = createFindResource(uris.map((uri) => ({ name: uri, uri })))
  return (uri: string) => {
    const found = find(uri)
    return found && { name: found.resource.name, ...found.variables }
  }
}

/** The variables of a URI by a template; undefined if it does not match. */
function variables(template: string, uri: string) {
  return createFindResource([{ name: 'it', uri: template }])(uri)?.variables
}

describe('one variable in a segment', () => {
  test.each([
    ['doc://notes/{id}', 'doc://notes/7', { id: '7' }],
    ['doc://notes/{id}', 'doc://notes/', undefined],
    ['doc://notes/{id}', 'doc://notes/7/8', undefined],
    ['doc://notes/{id}', 'doc://notes/7?a=1', undefined],
    ['doc://notes/{id}', 'doc://notes/7#a', undefined],
    ['doc://notes/{id}/raw', 'doc://notes/7/raw', { id: '7' }],
    ['doc://{host}/info', 'doc://one/info', { host: 'one' }],
    ['note:{id}', 'note:7', { id: '7' }],
    ['doc://n/{a}-{b}', 'doc://n/x-y-z', { a: 'x-y', b: 'z' }],
    ['doc://n/{a,b}', 'doc://n/x,y', { a: 'x', b: 'y' }],
    ['doc://n/{a*}', 'doc://n/x,y', { a: ['x', 'y'] }],
    ['doc://n/{a*}', 'doc://n/x', { a: ['x'] }],
    ['doc://n/{a}{.kind}', 'doc://n/x.json', { a: 'x', kind: 'json' }],
    ['doc://café/{id}', 'doc://caf%C3%A9/1', { id: '1' }],
    ['doc://café/{id}', 'doc://café/1', { id: '1' }],
  ])('%s of %s', (template, uri, expected) => {
    expect(variables(template, uri)).toEqual(expected)
  })
})

describe('paths', () => {
  test.each([
    ['doc://files/{+path}', 'doc://files/a/b.txt', { path: 'a/b.txt' }],
    ['doc://files/{+path}', 'doc://files/', undefined],
    ['doc://files/{+path}/raw', 'doc://files/a/raw/raw', { path: 'a/raw' }],
    ['doc://files{/dir}', 'doc://files/a', { dir: 'a' }],
    ['doc://files{/dir}', 'doc://files', {}],
    ['doc://files{/dir}', 'doc://files/a/b', undefined],
    ['doc://files{/a,b}', 'doc://files/x', { a: 'x' }],
    ['doc://files{/a,b}', 'doc://files/x/y', { a: 'x', b: 'y' }],
    ['doc://files{/path*}', 'doc://files/x/y/z', { path: ['x', 'y', 'z'] }],
    ['doc://files{/path*}', 'doc://files', {}],
    ['doc://files/{+path}{?rev}', 'doc://files/a/b?rev=2', { path: 'a/b', rev: '2' }],
  ])('%s of %s', (template, uri, expected) => {
    expect(variables(template, uri)).toEqual(expected)
  })
})

describe('query parameters: any subset, in any order', () => {
  test.each([
    ['doc://search{?q,page}', 'doc://search', {}],
    ['doc://search{?q,page}', 'doc://search?', {}],
    ['doc://search{?q,page}', 'doc://search?q=a', { q: 'a' }],
    ['doc://search{?q,page}', 'doc://search?page=2', { page: '2' }],
    ['doc://search{?q,page}', 'doc://search?page=2&q=a', { q: 'a', page: '2' }],
    ['doc://search{?q,page}', 'doc://search?q=a&page=2', { q: 'a', page: '2' }],
    ['doc://search{?q,page}', 'doc://search?q=', { q: '' }],
    ['doc://search{?q,page}', 'doc://search?q', { q: '' }],
    ['doc://search{?q,page}', 'doc://search?q=a=b/c?d', { q: 'a=b/c?d' }],
    ['doc://search{?q,page}', 'doc://search?other=1', undefined],
    ['doc://search{?q,page}', 'doc://search?q=1&q=2', undefined],
    ['doc://search{?q,page}', 'doc://searching?q=1', undefined],
    ['doc://search{?tags*}', 'doc://search?tags=a&tags=b', { tags: ['a', 'b'] }],
    ['doc://s?v=1{&a,b}', 'doc://s?v=1', {}],
    ['doc://s?v=1{&a,b}', 'doc://s?v=1&b=2', { b: '2' }],
    ['doc://s?v=1{&a,b}', 'doc://s?b=2&v=1&a=1', { a: '1', b: '2' }],
    ['doc://s?v=1{&a,b}', 'doc://s?b=2', undefined],
    ['doc://s?v=1{&a,b}', 'doc://s?v=2&b=2', undefined],
    ['doc://s?q={q}{&c}', 'doc://s?c=1&q=x', { q: 'x', c: '1' }],
    ['doc://s?q={q}{&c}', 'doc://s?c=1', undefined],
    ['doc://s/{id}{?a}{&b}', 'doc://s/7?b=2&a=1', { id: '7', a: '1', b: '2' }],
    ['https://example.com/s{?q}', 'https://example.com/s?q=1', { q: '1' }],
  ])('%s of %s', (template, uri, expected) => {
    expect(variables(template, uri)).toEqual(expected)
  })
})

describe('values arrive decoded', () => {
  test.each([
    ['doc://n/{id}', 'doc://n/S%C3%A3o%20Paulo', 'São Paulo'],
    ['doc://n/{id}', 'doc://n/São Paulo', 'São Paulo'],
    ['doc://n/{id}', 'doc://n/owner%2Frepo', 'owner/repo'],
    ['doc://n/{id}', 'doc://n/100%2525', '100%25'],
    ['doc://n/{id}', 'doc://n/%252e%252e%252f', '%2e%2e%2f'],
    ['doc://n/{id}', 'doc://n/a+b', 'a+b'],
    ['doc://n/{id}', 'doc://n/%7Bid%7D', '{id}'],
    ['doc://n{?id}', 'doc://n?id=a%26b%3Dc', 'a&b=c'],
    ['doc://n{?id}', 'doc://n?id=a%23b', 'a#b'],
    ['doc://n/{+id}', 'doc://n/a%20b/c', 'a b/c'],
  ])('%s of %s, once', (template, uri, id) => {
    expect(variables(template, uri)).toEqual({ id })
  })

  test.each([
    ['half an escape', 'doc://n/%E4%B', /percent-encoded/],
    ['no escape', 'doc://n/100%', /percent-encoded/],
    ['no UTF-8', 'doc://n/%C3%28', /percent-encoded/],
    ['overlong UTF-8', 'doc://n/%C0%AFetc', /percent-encoded/],
    ['CR and LF', 'doc://n/a%0D%0Ax-evil:1', /control characters/],
    ['NUL', 'doc://n/a%00.txt', /control characters/],
    ['a raw line break', 'doc://n/a\r\nb', /not a URI/],
    ['outer spaces', ' doc://n/a', /not a URI/],
    ['no URI', 'n', /not a URI/],
    ['segments with ".."', 'doc://n/..%2F..%2Fetc%2Fpasswd', /"\.\." segment/],
    ['segments with ".." in between', 'doc://n/a%2F..%2F..%2Fb', /"\.\." segment/],
    ['segments with ".." and a backslash', 'doc://n/..%5Csecret', /"\.\." segment/],
  ])('refuses %s', (_what, uri, message) => {
    expect(() => variables('doc://n/{id}', uri)).toThrow(message)
    const thrown = (() => {
      try {
        return variables('doc://n/{id}', uri)
      } catch (error) {
        return error
      }
    })()
    expect(thrown).toMatchObject({ code: -32602, data: { uri, reason: 'invalid_uri' } })
  })

  test.each(['doc://n/..', 'doc://n/%2e%2e', 'doc://n/a/../..', 'doc://n/.%2E/x'])(
    '%s matches no other resource',
    (uri) => {
      expect(finder('doc://n/{id}', 'doc://n/{+id}')(uri)).toSatisfy(
        (found: object | undefined) => found === undefined || !/\.\./.test(JSON.stringify(found)),
      )
    },
  )

  test('names of the prototype are ordinary names', () => {
    const found = variables('doc://n{?constructor,__proto__}', 'doc://n?__proto__=a')
    expect(Object.entries(found ?? {})).toEqual([['__proto__', 'a']])
  })
})

describe('of several matching templates', () => {
  test.each([
    ['doc://n/list', ['doc://n/{id}', 'doc://n/list'], 'doc://n/list'],
    ['doc://n/a-1', ['doc://n/{id}', 'doc://n/a-{id}'], 'doc://n/a-{id}'],
    ['doc://n/1', ['doc://n/{+path}', 'doc://n/{id}'], 'doc://n/{id}'],
    ['doc://n/1', ['doc://n/{id}{?q}', 'doc://n/{id}'], 'doc://n/{id}'],
    ['doc://n/1?q=2', ['doc://n/{id}', 'doc://n/{id}{?q}'], 'doc://n/{id}{?q}'],
    ['doc://n/1', ['doc://n/{b}', 'doc://n/{a}'], 'doc://n/{a}'],
  ])('%s is the most specific one, whatever the order', (uri, uris, expected) => {
    expect(finder(...uris)(uri)?.name).toBe(expected)
    expect(finder(...uris.toReversed())(uri)?.name).toBe(expected)
  })
})

test('matching takes no longer for near matches', () => {
  const many = 'a-'.repeat(1000)
  expect(variables('doc://n/{a}-{b}-{c}-{d}-{e}!', `doc://n/${many}`)).toBeUndefined()
  expect(variables('doc://n/{+a}/{+b}/{+c}/{+d}!', `doc://n/${'/a'.repeat(1000)}`)).toBeUndefined()
})

describe('a declared URI', () => {
  test.each([
    'doc://n/{a}{?b,c}',
    'https://example.com',
    'https://example.com/a b/{c}',
    'urn:isbn:{isbn}',
    'file:///{+path}',
  ])('%s is accepted', (uri) => {
    expect(() => checkDeclaredUri({ name: 'it', uri })).not.toThrow()
  })

  test.each([
    ['n/{a}', /absolute/],
    ['doc://n/{a', /brace/],
    ['doc://n/a}', /brace/],
    ['doc://n/{}', /cannot be matched/],
    ['doc://n/{a:3}', /cannot be matched/],
    ['doc://n/{;a}', /cannot be matched/],
    ['doc://n/{a}/{a}', /twice/],
    ['doc://n{&a}', /before any "\?"/],
    ['HTTPS://Example.com/{a}', /matches no URI.*https:\/\/example\.com\/x/],
    ['doc://n/../{a}', /matches no URI/],
    ['https://', /matches no URI/],
  ])('%s is refused', (uri, message) => {
    expect(() => checkDeclaredUri({ name: 'it', uri })).toThrow(message)
  })
})
