/** Sign-in at several upstreams: routes each link and each callback to its own upstream. */

import type { SignIn } from './sign-in.ts'
import type { SignInLinks } from './sign-in-link.ts'

export interface SignInAt {
  /** Absent for the first upstream. */
  readonly upstream: string | undefined
  readonly signIn: SignIn
  /** Display name of the host that users sign in at. */
  readonly signsInAt: string
  /** Whether the browser returns to `/callback`; false where users paste a key on this server. */
  readonly returns: boolean
}

/** Combines them into one `SignIn`; with none, every link and every state is unknown. */
export function createSignIns(all: readonly SignInAt[], links: SignInLinks): SignIn {
  const at = (upstream: string | undefined) => all.find((each) => each.upstream === upstream)

  async function ofLink(handle: string): Promise<SignInAt | undefined> {
    const link = await links.describe(handle)
    return link && at(link.upstream)
  }

  return {
    async describe(handle, browser) {
      const found = await ofLink(handle)
      const link = await found?.signIn.describe(handle, browser)
      return link && found && { ...link, signsInAt: found.signsInAt }
    },
    async confirm(handle, proof, storage) {
      const found = await ofLink(handle)
      return found === undefined
        ? { outcome: 'void' }
        : found.signIn.confirm(handle, proof, storage)
    },
    async begin(purpose, storage) {
      const first = at(undefined)
      if (first === undefined) throw new Error('Nobody signs in at the first upstream')
      return first.signIn.begin(purpose, storage)
    },
    async finish(callback, cookie, upstream) {
      const found = at(upstream)
      return found?.returns === true
        ? found.signIn.finish(callback, cookie)
        : { outcome: 'unknown_state' }
    },
  }
}
