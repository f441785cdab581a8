/** Who may use a sign-in link: whoever has the code from the chat, or the browser that gave consent. */

import { timingSafeEqualStrings } from '../crypto/hash.ts'
import type { SessionManager } from './manager.ts'
import type { Session } from './record.ts'
import type { SignInLinks } from './sign-in-link.ts'

/** Proof that the user may proceed: the code from the chat, or the browser that gave consent. */
export type SignInProof =
  | { readonly code: string }
  /** SHA-256 of the value in the browser's cookie; undefined when it has none. */
  | { readonly browser: string | undefined }

interface ProvenLinksDeps {
  readonly links: SignInLinks
  readonly sessions: Pick<SessionManager, 'peek'>
}

/** The links of one upstream, as long as their sessions are live. */
export function createProvenLinks(
  { links, sessions }: ProvenLinksDeps,
  upstream: string | undefined,
) {
  async function lookUp(handle: string) {
    const link = await links.describe(handle)
    if (link?.upstream !== upstream) return undefined
    // Checked before the user enters a code and signs in for a session that has ended.
    const session = link && (await sessions.peek(link.sessionId))
    return link && session && { link, session }
  }

  return {
    async describe(handle: string, browser: string | undefined) {
      const found = await lookUp(handle)
      return found && { ...found.link, needsCode: !isBrowserOf(found.session, browser) }
    },
    async check(handle: string, proof: SignInProof) {
      if ('code' in proof) return links.check(handle, proof.code, upstream)
      const found = await lookUp(handle)
      if (found === undefined) return { outcome: 'void' } as const
      return isBrowserOf(found.session, proof.browser)
        ? ({ outcome: 'right', link: found.link } as const)
        : ({ outcome: 'code_needed' } as const)
    },
  }
}

function isBrowserOf({ browser }: Session, shown: string | undefined): boolean {
  return browser !== undefined && shown !== undefined && timingSafeEqualStrings(browser, shown)
}
