/** No-op doubles: a client that ignores messages, and ignored change notifications. */

import type { ToolCall } from '../engine/call.ts'
import type { Announce, ToolClient } from '../engine/tool-context.ts'

/** A client with only the given capabilities. */
export function quietClient(can: Partial<ToolClient['can']> = {}): ToolCall['client'] {
  return {
    can: { fillForms: false, openUrls: false, sample: false, listRoots: false, ...can },
    log: async () => undefined,
    closeStream: () => undefined,
    elicitationCompleted: undefined,
  }
}

export const QUIET: Announce = {
  toolsChanged: () => undefined,
  promptsChanged: () => undefined,
  resourcesChanged: () => undefined,
  resourceUpdated: () => undefined,
}
