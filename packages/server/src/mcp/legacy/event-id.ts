/** Event ids say where to go on reading, on whichever node (2025-11-25, basic/transports, "Resumability"). */

/** In one POST's stream: the call it belongs to, named by its node, and the event's number. */
export interface CallEventId {
  readonly kind: 'call'
  readonly node: string
  readonly call: number
  readonly sequence: number
}

/** In a connection's GET stream: how far its own messages and the common log had been read. */
export interface StreamEventId {
  readonly kind: 'stream'
  readonly own: string
  readonly common: string
}

const CALL = /^r\.([0-9a-f]{12})\.(\d{1,15})\.(\d{1,15})$/
const STREAM = /^s\.(\d{1,15}(?:-\d{1,15})?)\.(\d{1,15}(?:-\d{1,15})?)$/

export function formatEventId(id: CallEventId | StreamEventId): string {
  return id.kind === 'call' ? `r.${id.node}.${id.call}.${id.sequence}` : `s.${id.own}.${id.common}`
}

/** Undefined for anything that is not an id of ours. */
export function parseEventId(text: string): CallEventId | StreamEventId | undefined {
  const [, node, call, sequence] = CALL.exec(text) ?? []
  if (node !== undefined) {
    return { kind: 'call', node, call: Number(call), sequence: Number(sequence) }
  }
  const [, own, common] = STREAM.exec(text) ?? []
  return own !== undefined && common !== undefined ? { kind: 'stream', own, common } : undefined
}
