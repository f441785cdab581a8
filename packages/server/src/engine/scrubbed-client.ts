/** The client as a tool sees it: what the tool says to it passes the call's redactor. */

import type { Redactor } from '../output/redactor.ts'
import { scrubValue } from './scrub-value.ts'
import type { Announce, ToolClient } from './tool-context.ts'

/** Levels of what is logged to the client; JSON of an answer is hardly ever as deep. */
const DEEPEST = 64

/** Masks what a tool logs to its client. */
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

/** Masks the addresses of resources that a tool says have changed. */
export function scrubbedAnnounce(announce: Announce, redactor: Redactor): Announce {
  return { ...announce, resourceUpdated: (uri) => announce.resourceUpdated(redactor.scrub(uri)) }
}
