/** Signing in as a person does: our page, the code, the provider's page, and back. */

import { createBrowser, type Page } from '../../scripts/demo/browser.ts'

/** What `login` gives out. */
export interface SignInLink {
  readonly url: string
  readonly code: string
  readonly session?: string
}

/** Goes all the way, as one of the demo's people, and gives the last page. */
export async function signInAs(person: string, link: SignInLink): Promise<Page> {
  const browser = createBrowser()
  const ours = await browser.open(link.url)
  const providers = await browser.open(ours.url, { code: link.code })
  return browser.open(providers.url, { person })
}
