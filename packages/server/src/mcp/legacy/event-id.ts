/** Event ids: positions to resume from (2025-11-25, basic/transports, "Resumability"). */

/** Id in the stream of a POST: node and number of the call, sequence number of the event. */
export interface CallEventId {
  readonly kind: 'call'
  readonly node: string
  readonly call: number
  readonly sequence: number
}

/** Id in a GET stream: read positions in the MCP session's own log and in the common log. */
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

/** Undefined for ids that this server did not format. */
export function parseEventId(text: string): CallEventId | StreamEventId | undefined {
  const [, node, call, sequence] = CALL.exec(text) ?? []
  if (node !== undefined) {
    return { kind: 'call', node, call: Number(call), sequence: Number(sequence) }
  }
  const [, own, common] = STREAM.exec(text) ?? []
  return own !== undefined && common !== undefined ? { kind: 'stream', own, common } : undefined
}
