/** Obtains an authorization code, through the consent and sign-in pages. */

import { headingOf, type Page } from '../../server/src/testing/form-browser.ts'
import type { Finding } from './findings.ts'
import { within } from './http.ts'
import { allow, authorizeUrl, type Led, ledTo, open } from './oauth.ts'
import { refusalOf } from './provider-refusal.ts'
import { openCallback } from './token/callback.ts'
import type { RegisteredClient, ServerMetadata, Visit } from './visit.ts'

/** The time limit for a user. */
export const PERSON_MS = 5 * 60_000

export interface GivenCode {
  readonly code: string
  readonly verifier: string
  /** The client, with the redirect URI to which the code is bound. */
  readonly client: RegisteredClient
  /** RFC 9207: the issuer of the response. */
  readonly iss: string | null
}

/** `needsPerson`: a user must sign in at a provider other than the demo's. */
export type Outcome =
  | { readonly given: GivenCode }
  | { readonly failure: string; readonly needsPerson: boolean; readonly mend?: string }

/** The account to use at the demo's identity provider. */
const PERSON = 'ada'

/** Authorizes the client; signs in at the demo's provider if required. */
export async function authorizeClient(
  visit: Visit,
  server: ServerMetadata,
  client: RegisteredClient,
): Promise<Outcome> {
  const authorization = authorizeUrl(visit, server, client)
  const asked = await open(authorization, client.redirectUri)
  if (asked.to === 'error') return failed(asked.page)
  const led = await pastProvider(await allow(asked, client.redirectUri), client.redirectUri)
  if (led.to !== 'client') {
    const { page } = led
    const refusal = page.url.origin === new URL(visit.base).origin ? undefined : refusalOf(page)
    if (refusal !== undefined) {
      return { failure: refusal.what, needsPerson: false, ...fixOf(refusal) }
    }
    if (led.to === 'error') return failed(page)
    return { failure: `A person has to sign in at ${page.url.host}.`, needsPerson: true }
  }
  const { verifier, state } = authorization
  return outcomeOf(led.answer, { verifier, state, client })
}

function fixOf({ mend }: Finding) {
  return mend === undefined ? {} : { mend }
}

/** Chooses an account if the page is the demo's. */
async function pastProvider(led: Led, redirectUri: string): Promise<Led> {
  if (led.to !== 'person' || !isDemoProvider(led.page)) return led
  const page = await led.browser.open(led.page.url, DEMO_FORM)
  return ledTo(page, led.browser, redirectUri)
}

export function isDemoProvider({ text }: Page): boolean {
  return text.includes(`name="person" value="${PERSON}"`)
}

/** The sign-in form of the demo. */
export const DEMO_FORM = { person: PERSON }

/** Authorizes the client with a user and a real browser. */
export async function authorizeByPerson(
  visit: Visit,
  server: ServerMetadata,
  registered: RegisteredClient,
): Promise<Outcome> {
  const callback = await openCallback()
  try {
    const client = { ...registered, redirectUri: callback.redirectUri }
    const { url, verifier, state } = authorizeUrl(visit, server, client)
    const answered = callback.wait(state)
    visit.say(`Open this page, authorize the client, and sign in:\n\n${url}\n`)
    const answer = await within(PERSON_MS, 'The person', answered)
    return outcomeOf(answer, { verifier, state, client })
  } finally {
    callback.close()
  }
}

function outcomeOf(
  answer: URLSearchParams,
  sent: { readonly verifier: string; readonly state: string; readonly client: RegisteredClient },
): Outcome {
  const code = answer.get('code')
  if (code === null || answer.get('state') !== sent.state) {
    const why = answer.get('error_description') ?? answer.get('error') ?? 'no code came back'
    return { failure: `The client was not authorized: ${why}.`, needsPerson: false }
  }
  const { verifier, client } = sent
  return { given: { code, verifier, client, iss: answer.get('iss') } }
}

function failed(page: Page): Outcome {
  const { url, status } = page
  const failure = `${url.pathname} says ${status} “${headingOf(page)}”.`
  return { failure, needsPerson: false }
}
