/** Unforgeable ids of server-to-client requests; each names the node that waits (HMAC). */

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyRing } from '../../crypto/key-ring.ts'

export interface WireIds {
  /** `<node>.<n>.<mac>`: at most 45 characters, valid in one MCP session only. */
  issue(connectionId: string, nodeId: string, count: number): string
  /** The node that issued the id for this MCP session; undefined for any other value. */
  issuerOf(connectionId: string, wireId: unknown): string | undefined
}

const PURPOSE = 'wire-id'
/** 96 bits suffice: each guess costs a request, and a hit answers a single request. */
const MAC_BYTES = 12
const WIRE_ID = /^(([0-9a-f]{12})\.\d{1,15})\.([\w-]{16})$/

/** The first key signs, all keys verify, so that pending requests survive a key rotation. */
export function createWireIds(keyRing: KeyRing): WireIds {
  const keys = keyRing.subKeys(PURPOSE)
  const [current] = keys
  if (current === undefined) throw new RangeError('A key ring needs at least one key.')

  return {
    issue(connectionId, nodeId, count) {
      const name = `${nodeId}.${count}`
      return `${name}.${macOf(current, connectionId, name).toString('base64url')}`
    },
    issuerOf(connectionId, wireId) {
      if (typeof wireId !== 'string') return undefined
      const [, name, nodeId, mac] = WIRE_ID.exec(wireId) ?? []
      if (name === undefined || mac === undefined) return undefined
      const given = Buffer.from(mac, 'base64url')
      const isGenuine = keys.some((key) => timingSafeEqual(macOf(key, connectionId, name), given))
      return isGenuine ? nodeId : undefined
    },
  }
}

/** HMAC-SHA-256 (RFC 2104), truncated. */
function macOf(key: Buffer, connectionId: string, name: string): Buffer {
  const mac = createHmac('sha256', key).update(`${connectionId}\n${name}`).digest()
  return mac.subarray(0, MAC_BYTES)
}
