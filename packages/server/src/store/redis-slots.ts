/** The hash slots of Redis Cluster. */

/** The number of slots of every cluster. */
export const SLOT_COUNT = 16_384

/**
 * The slot of a key: CRC-16 of its hash tag, or of the whole key if it has none.
 * Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */
export function slotOf(key: string): number {
  const start = key.indexOf('{') + 1
  const end = start === 0 ? -1 : key.indexOf('}', start)
  // An empty tag counts as none.
  return end > start ? crc16(key, start, end) : crc16(key, 0, key.length)
}

/** Announced by a node that should announce its host name, and has none. */
export const NO_HOST_NAME = '?'

/** CRC-16/XMODEM: polynomial 0x1021, initial value 0. */
const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc
})

function crc16(text: string, start: number, end: number): number {
  let crc = 0
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at)
    if (code > 127) return crc16OfBytes(Buffer.from(text.slice(start, end)))
    crc = ((crc << 8) & 0xffff) ^ (CRC16[(crc >> 8) ^ code] ?? 0)
  }
  return crc % SLOT_COUNT
}

function crc16OfBytes(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (CRC16[(crc >> 8) ^ byte] ?? 0)
  return crc % SLOT_COUNT
}
