/** Ids of entries: `<milliseconds>-<number>`, or `0-<sequence>` with explicit sequence numbers. */

/** The id before every entry, and the last id of an empty stream. */
export const STREAM_START = '0'

/** Numbers of 15 digits are exact in JavaScript and far below the 64 bits that Redis allows. */
const ID = /^(\d{1,15})(?:-(\d{1,15}))?$/
const LARGEST = 10 ** 15 - 1

export type StreamId = readonly [milliseconds: number, number: number]

/**
 * Parses an id; a missing second part counts as 0.
 * @throws TypeError for anything else
 */
export function parseStreamId(text: string): StreamId {
  const [, milliseconds, number = 0] = ID.exec(text) ?? []
  if (milliseconds === undefined) throw new TypeError('A stream id is malformed.')
  return [Number(milliseconds), Number(number)]
}

export function formatStreamId([milliseconds, number]: StreamId): string {
  return `${milliseconds}-${number}`
}

export function isAfter(id: string, other: string): boolean {
  const [milliseconds, number] = parseStreamId(id)
  const [otherMilliseconds, otherNumber] = parseStreamId(other)
  if (milliseconds !== otherMilliseconds) return milliseconds > otherMilliseconds
  return number > otherNumber
}

/**
 * A sequence, a length or a limit.
 * @throws RangeError unless it is a whole number from 1 to 10^15 - 1
 */
export function positiveInteger(value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > LARGEST) {
    throw new RangeError('A sequence, length or limit must be an integer of at least 1.')
  }
  return value
}
