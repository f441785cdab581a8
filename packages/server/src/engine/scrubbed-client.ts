/** The client as passed to tools: its output passes through the call's redactor. */

import type { Redactor } from '../output/redactor.ts'
import { scrubValue } from './scrub-value.ts'
import type { Announce, ToolClient } from './tool-context.ts'

/** Maximum nesting of data logged to the client; JSON responses are rarely deeper. */
const DEEPEST = 64

/** Masks a tool's log messages to its client. */
export function scrubbedClient(client: ToolClient, redactor: Redactor): ToolClient {
  return {
    can: client.can,
    closeStream: () => client.closeStream(),
    async log(level, data) {
      redactor.learn(data)
      await client.log(level, redactor.hides() ? scrubValue(data, redactor, DEEPEST) : data)
    },
  }
}

/** Masks the URIs in a tool's resource update notifications. */
export function scrubbedAnnounce(announce: Announce, redactor: Redactor): Announce {
  return { ...announce, resourceUpdated: (uri) => announce.resourceUpdated(redactor.scrub(uri)) }
}
