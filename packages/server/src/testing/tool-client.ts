/** A client that says nothing, and changes that nobody hears of. */

import type { ToolCall } from '../engine/call.ts'
import type { Announce, ToolClient } from '../engine/tool-context.ts'

/** A client that can do what is given and nothing else. */
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
