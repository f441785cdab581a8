/**
 * Nodes behind one address: each must know the state that another wrote. Runs before any sign-in.
 */

import { wellKnown } from '../addresses.ts'
import { type Finding, ok, whether, wrong } from '../findings.ts'
import { ask, manyTimes, tally } from '../http.ts'
import { needsClient } from '../needs.ts'
import { authorizeUrl, open } from '../oauth.ts'
import type { Check, RegisteredClient, ServerMetadata, Visit } from '../visit.ts'

const TIMES = 12

export const nodesAgree: Check = {
  id: 'nodes-agree',
  title: 'Nodes behind one address',
  run: needsClient(async (visit, server, client) => [
    await sameMetadata(visit),
    await knownClient(visit, server, client),
    await samePage(visit, server, client),
  ]),
}

async function sameMetadata({ base }: Visit): Promise<Finding> {
  const address = wellKnown('oauth-protected-resource', `${base}/mcp`)
  const answers = await manyTimes(TIMES, () => ask(address))
  return whether(
    new Set(answers.map(({ text }) => text)).size === 1,
    'All nodes return the same metadata.',
    wrong(
      'The nodes return different metadata.',
      'Give all nodes the same variables, PUBLIC_URL first.',
    ),
  )
}

/** A client registered at one node is known to all. */
async function knownClient(
  visit: Visit,
  server: ServerMetadata,
  client: RegisteredClient,
): Promise<Finding> {
  const led = await manyTimes(TIMES, () =>
    open(authorizeUrl(visit, server, client), client.redirectUri),
  )
  const statuses = led.map(({ page }) => page.status)
  return whether(
    led.every(({ to }) => to === 'person'),
    `A client that registered is known by all (${TIMES} of ${TIMES} requests, each on its own connection).`,
    wrong(
      `A client that registered is unknown to some of them, or its consent page is: ${tally(statuses)}.`,
      'Let all nodes use one Redis (the same REDIS_URL, REDIS_DB and STORE_PREFIX): in memory each has its own clients and sessions. They need the same ENCRYPTION_KEY as well.',
    ),
  )
}

/** All nodes accept a consent page, and its cookies, from one node. */
async function samePage(
  visit: Visit,
  server: ServerMetadata,
  client: RegisteredClient,
): Promise<Finding> {
  const led = await open(authorizeUrl(visit, server, client), client.redirectUri)
  if (led.to !== 'person') return wrong('The consent page did not open.', 'See the results above.')
  const { page, browser } = led
  const pages = await manyTimes(TIMES, () => browser.open(page.url))
  const statuses = pages.map(({ status }) => status)
  if (statuses.every((status) => status === 200))
    return ok('A page that one node opened is served by all.')
  return wrong(
    `A page that one node opened is unknown to others: ${tally(statuses)}.`,
    'Give all nodes the same ENCRYPTION_KEY (it signs cookies as well), and one Redis.',
  )
}
