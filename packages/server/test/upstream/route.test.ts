/** Routes and parameters: no path traversal out of the base URL. */

import { describe, expect, test } from 'vitest'
import { buildUrl, parseBaseUrl } from '../../src/upstream/route.ts'

const base = parseBaseUrl('https://api.example.com/v1/')

describe('a route', () => {
  test('is appended to the path of the base URL', () => {
    expect(buildUrl(base, '/accounts').href).toBe('https://api.example.com/v1/accounts')
  })

  test('percent-encodes its parameters', () => {
    const url = buildUrl(base, '/accounts/{id}/notes/{note}', { id: 'a/b?c#d', note: 'é 1%' })
    expect(url.href).toBe('https://api.example.com/v1/accounts/a%2Fb%3Fc%23d/notes/%C3%A9%201%25')
  })

  test('sends the other parameters as a query, without the undefined ones', () => {
    const url = buildUrl(base, '/a/{id}', { id: 1, q: 'x&y=z', page: 2, all: false, no: undefined })
    expect(url.pathname).toBe('/v1/a/1')
    expect(Object.fromEntries(url.searchParams)).toEqual({ q: 'x&y=z', page: '2', all: 'false' })
  })

  test.each(['', '.', '..', '\ud800'])('refuses %j as a parameter', (id) => {
    expect(() => buildUrl(base, '/accounts/{id}', { id })).toThrow(TypeError)
  })

  test.each(['../admin', '%2e%2e', '..%2f', '..\\', '//evil.example', '\u002e\u002e/x'])(
    'keeps %j inside one segment',
    (id) => {
      const url = buildUrl(base, '/accounts/{id}', { id })
      expect(url.origin).toBe('https://api.example.com')
      expect(url.pathname.split('/').slice(0, 3)).toEqual(['', 'v1', 'accounts'])
      expect(url.pathname.split('/')).toHaveLength(4)
    },
  )

  test('names the missing parameter, inherited names included', () => {
    expect(() => buildUrl(base, '/accounts/{id}')).toThrow(/"id"/)
    expect(() => buildUrl(base, '/accounts/{id}', { id: undefined })).toThrow(/"id"/)
    expect(() => buildUrl(base, '/accounts/{constructor}')).toThrow(/"constructor"/)
  })

  test.each(['accounts', '//evil.example', '/a?b', '/a#b', '/a\\b', '/../a', '/%2e%2e/a', '/{a'])(
    'refuses the route %j',
    (route) => {
      expect(() => buildUrl(base, route, { a: 'x' })).toThrow(TypeError)
    },
  )
})

describe('a base URL', () => {
  test.each(['ftp://x', 'https://u:p@x', 'https://x?q=1', 'https://x/#f', 'x'])(
    'is refused when it is %j',
    (url) => {
      expect(() => parseBaseUrl(url)).toThrow(TypeError)
    },
  )
})
