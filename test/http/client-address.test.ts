/** Where a request comes from: by the connection, or by what trusted proxies add. */

import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { clientAddress } from '../../src/http/client-address.ts'

function addressOf(remoteAddress: string | undefined, forwarded?: string, proxies = 0): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return clientAddress({ headers, socket: { remoteAddress } } as IncomingMessage, proxies)
}

describe('the address of a request', () => {
  test('is that of its connection, whatever it says, where no proxy is trusted', () => {
    expect(addressOf('192.0.2.1')).toBe('192.0.2.1')
    expect(addressOf('192.0.2.1', '203.0.113.9')).toBe('192.0.2.1')
  })

  test('is what the outermost trusted proxy was called from; the rest may be made up', () => {
    const forwarded = '203.0.113.9, 198.51.100.2 ,198.51.100.3'
    expect(addressOf('192.0.2.1', forwarded, 1)).toBe('198.51.100.3')
    expect(addressOf('192.0.2.1', forwarded, 2)).toBe('198.51.100.2')
    expect(addressOf('192.0.2.1', `,,${forwarded}`, 2)).toBe('198.51.100.2')
  })

  test('is the first that is known where fewer proxies were passed', () => {
    expect(addressOf('192.0.2.1', undefined, 2)).toBe('192.0.2.1')
    expect(addressOf('192.0.2.1', '198.51.100.2', 5)).toBe('198.51.100.2')
    expect(addressOf(undefined)).toBe('')
  })

  test.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['[2001:db8::1]:4711', '2001:db8:0:0::/64'],
  ])('is the same in each spelling: %s', (given, expected) => {
    expect(addressOf('10.0.0.1', given, 1)).toBe(expected)
  })

  test.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::5:6:7:8', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('of IPv6 is the network: %s', (given, expected) => {
    expect(addressOf(given)).toBe(expected)
  })

  test('is never longer than it can be', () => {
    expect(addressOf('10.0.0.1', 'x'.repeat(5000), 1).length).toBeLessThanOrEqual(100)
  })
})
