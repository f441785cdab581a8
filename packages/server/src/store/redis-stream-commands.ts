/** The commands that read streams, and their replies. */

import { STREAM_START } from './stream-ids.ts'
import type { StreamEntry } from './streams.ts'

export type SendCommand = (args: readonly string[], key: string) => Promise<unknown>

/** The only field of an entry. */
export const VALUE_FIELD = 'value'

type EntryReply = readonly [id: string, fields: readonly [name: string, value: string]]

/** Entries of one stream after a well-formed id. */
export async function readEntries(
  send: SendCommand,
  name: string,
  after: string,
  limit?: number,
): Promise<readonly StreamEntry[]> {
  const count = limit === undefined ? [] : ['COUNT', String(limit)]
  return toEntries(await send(['XRANGE', name, `(${after}`, '+', ...count], name))
}

export async function readLastId(send: SendCommand, name: string): Promise<string> {
  const newest = toEntries(await send(['XREVRANGE', name, '+', '-', 'COUNT', '1'], name))
  return newest[0]?.id ?? STREAM_START
}

/** Waits for entries after the given ids; empty when none arrive within `blockMs`. */
export async function awaitEntries(
  send: SendCommand,
  cursors: ReadonlyMap<string, string>,
  limit: number,
  blockMs: number,
): Promise<readonly (readonly [name: string, entries: readonly StreamEntry[]])[]> {
  const options = ['COUNT', String(limit), 'BLOCK', String(blockMs)]
  const [names, ids] = [[...cursors.keys()], [...cursors.values()]]
  const reply = await send(['XREAD', ...options, 'STREAMS', ...names, ...ids], names[0] ?? '')
  // RESP 2 has no maps.
  const streams = Array.isArray(reply)
    ? (reply as [string, unknown][])
    : Object.entries(reply ?? {})
  return streams.map(([name, entries]) => [name, toEntries(entries)])
}

function toEntries(reply: unknown): readonly StreamEntry[] {
  return (reply as readonly EntryReply[]).map(([id, [, value]]) => ({ id, value }))
}
