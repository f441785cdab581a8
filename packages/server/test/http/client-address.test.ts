/** Client addresses, directly and behind proxies. */

import { describe, expect, it } from 'vitest'
import { clientAddress, networkOf } from '../../src/http/client-address.ts'

describe('the address of a client', () => {
  const from = (peer: string, forwarded: string | undefined, proxies: number) =>
    clientAddress(
      { socket: { remoteAddress: peer }, headers: { 'x-forwarded-for': forwarded } } as never,
      proxies,
    )

  it.each([
    ['192.0.2.9', undefined, 0, '192.0.2.9'],
    ['192.0.2.9', '10.0.0.1', 0, '192.0.2.9'],
    ['10.0.0.9', '192.0.2.1', 1, '192.0.2.1'],
    ['10.0.0.9', 'forged, 192.0.2.1', 1, '192.0.2.1'],
    ['10.0.0.9', '1.1.1.1, 192.0.2.1, 10.0.0.8', 2, '192.0.2.1'],
    ['10.0.0.9', '192.0.2.1:4711', 1, '192.0.2.1'],
    ['10.0.0.9', '[2001:db8::1]:4711', 1, '2001:db8::1'],
    ['10.0.0.9', ' , 192.0.2.1 ', 1, '192.0.2.1'],
    ['10.0.0.9', undefined, 1, '10.0.0.9'],
    ['10.0.0.9', '192.0.2.1', 3, '192.0.2.1'],
    ['10.0.0.9', 'unknown', 1, '10.0.0.9'],
  ])('%s with %s behind %d proxies', (peer, forwarded, proxies, address) => {
    expect(from(peer, forwarded, proxies)).toBe(address)
  })

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/56'],
    ['2001:db8:1:1ff:3:4:5:6', '2001:db8:1:100::/56'],
    ['', ''],
  ])('%s is counted as %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
