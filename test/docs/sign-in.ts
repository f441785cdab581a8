/** Signs Ada in at the demo provider, as a person would: link, code, choice. */

import { createBrowser } from '../../scripts/demo/browser.ts'

export interface SignInAnswer {
  readonly url: string
  readonly code: string
  /** For callers that are known by nothing else. */
  readonly session?: string
}

/** Gives the text of the last page. */
export async function signInAsAda({ url, code }: SignInAnswer): Promise<string> {
  const browser = createBrowser('nowhere:')
  await browser.open(url)
  const choice = await browser.open(url, { code })
  const done = await browser.open(choice.url, { person: 'ada' })
  return done.text
}
