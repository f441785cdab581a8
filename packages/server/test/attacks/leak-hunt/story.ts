/** Everything that a person, the provider and the API can do to a session, valid and invalid. */

import { expect } from 'vitest'
import { createBrowser, headingOf, type Page } from '../../../src/testing/form-browser.ts'
import type { Caller, ConnectCaller } from '../../support/callers.ts'
import { connectClient, type Era, errorCode, structured } from '../../support/clients.ts'
import type { Exchange, Interference } from '../../support/recording-balancer.ts'
import { newBrowser, type SignInLink, signInAs } from '../../support/sign-in.ts'

export interface World {
  readonly url: string
  /** The faults of the network to the server, the provider and the API at the moment. */
  interfere: Interference
  /** Inspects the store during the story. */
  checkpoint(): Promise<void>
}

/** Plays all steps, and checks each, so that every secret has really been used. */
export async function playEverything(
  world: World,
  connect: ConnectCaller,
  person: string,
): Promise<void> {
  const caller = await connect(world.url)
  expect(errorCode(await caller.call('service'))).toBe('login_required')
  await cancelled(world, caller)
  await inAnotherBrowser(world, caller, person)
  await refusedByProvider(world, caller, person)
  await signedIn(world, caller, person)
  await refreshed(world, caller)
  await failedByApi(world, caller)
  await failedByProvider(world, caller)
  expect(structured(await caller.call('logout'))).toEqual({ ended: true })
  await caller.call('service')
  await world.checkpoint()
  await caller.close()
}

/** A client that opens URLs for its user: the call waits for the sign-in, and continues after it. */
export async function playUrlElicitation(url: string, era: Era): Promise<void> {
  const { client } = await connectClient(url, era, {
    async onUrl(link, message) {
      const [, code = ''] = /code: (\S+)/.exec(message) ?? []
      await signInAs(newBrowser(), { url: link, code }, 'ada')
      return 'accept'
    },
  })
  const result = await client.callTool({ name: 'service', arguments: {} })
  expect(result.structuredContent).toMatchObject({ owner: 'Ada Lovelace' })
  await client.close()
}

async function login(caller: Caller): Promise<SignInLink> {
  return structured<SignInLink>(await caller.call('login'))
}

/** A wrong code, the right one, and then the person cancels. */
async function cancelled({ checkpoint }: World, caller: Caller): Promise<void> {
  const { url, code } = await login(caller)
  const browser = createBrowser()
  expect((await browser.open(url, { code: 'WRNG-C0DE' })).status).toBe(422)
  await checkpoint()
  const providers = await browser.open(url, { code })
  await checkpoint()
  expect(headingOf(await browser.open(providers.url, { cancel: 'yes' }))).toBe('Sign-in failed')
}

/** The callback in a browser that did not start it, and again when its state is consumed. */
async function inAnotherBrowser(world: World, caller: Caller, person: string): Promise<void> {
  const back = await untilCallback(world, await login(caller), person)
  expect((await createBrowser().open(back.url)).status).toBe(403)
  expect((await createBrowser().open(back.url)).status).toBe(400)
}

async function untilCallback({ url }: World, link: SignInLink, person: string): Promise<Page> {
  const browser = createBrowser(`${url}/callback`)
  const providers = await browser.open(link.url, { code: link.code })
  return browser.open(providers.url, { person })
}

async function refusedByProvider(world: World, caller: Caller, person: string): Promise<void> {
  world.interfere = {
    intercept: (exchange) => (isToken(exchange) ? echo(400, exchange) : undefined),
  }
  expect(headingOf(await signInAs(newBrowser(), await login(caller), person))).toBe(
    'Sign-in failed',
  )
}

async function signedIn(world: World, caller: Caller, person: string): Promise<void> {
  world.interfere = { rewrite: shortLived }
  expect(headingOf(await signInAs(newBrowser(), await login(caller), person))).toBe(
    'Login successful',
  )
  await world.checkpoint()
  expect(structured(await caller.call('session'))).toMatchObject({ state: 'authenticated' })
}

/** Refreshes because the token expires, and because the API refuses it. */
async function refreshed(world: World, caller: Caller): Promise<void> {
  expect(errorCode(await caller.call('service'))).toBeUndefined()
  let spent: string | undefined
  world.interfere = {
    intercept(exchange) {
      if (!isApi(exchange)) return undefined
      spent ??= exchange.headers.authorization
      return exchange.headers.authorization === spent ? echo(401, exchange) : undefined
    },
  }
  expect(errorCode(await caller.call('service'))).toBeUndefined()
  await world.checkpoint()
}

/** API responses that repeat the request, and contain more than they should. */
async function failedByApi(world: World, caller: Caller): Promise<void> {
  const notJson = 'account 55555555, GB33BUKB20201555555555, ada@example.com'
  const wrongForm = JSON.stringify({ owner: { email: 'ada@example.com' }, iban: '55555555' })
  const answers = [
    ...[400, 403, 500].map((status) => (exchange: Exchange) => echo(status, exchange)),
    ...[notJson, wrongForm].map((body) => () => ({ status: 200, body })),
  ]
  for (const answer of answers) {
    world.interfere = { intercept: (exchange) => (isApi(exchange) ? answer(exchange) : undefined) }
    expect(errorCode(await caller.call('service'))).toEqual(expect.any(String))
  }
}

/** While the API refuses the token: the provider is unavailable, then has lost the sign-in. */
async function failedByProvider(world: World, caller: Caller): Promise<void> {
  for (const status of [500, 400]) {
    world.interfere = {
      intercept(exchange) {
        if (isApi(exchange)) return echo(401, exchange)
        return isToken(exchange) ? echo(status, exchange) : undefined
      },
    }
    expect(errorCode(await caller.call('service'))).toEqual(expect.any(String))
    await world.checkpoint()
  }
  world.interfere = {}
  await signInAs(newBrowser(), await login(caller), 'grace')
  expect(errorCode(await caller.call('service'))).toBeUndefined()
}

function isToken({ path }: Exchange): boolean {
  return path === '/demo/idp/token'
}

function isApi({ path }: Exchange): boolean {
  return path.startsWith('/demo/api/')
}

/** An OAuth error, and a bad habit: the request is repeated in the description. */
function echo(status: number, { headers, body }: Exchange) {
  const said = `${headers.authorization} ${headers['x-api-key']} ${body}`
  return {
    status,
    body: JSON.stringify({ error: 'invalid_grant', error_description: said, message: said }),
  }
}

/** The first token expires after a second. */
function shortLived(exchange: Exchange): string | undefined {
  if (!isToken(exchange) || !exchange.body.includes('grant_type=authorization_code'))
    return undefined
  return JSON.stringify({ ...JSON.parse(exchange.answer.body), expires_in: 1 })
}
