/** One session, whose requests are spread over all nodes. */

import { type Finding, ok, wrong } from '../findings.ts'
import { manyTimes, postJson, tally } from '../http.ts'
import { authorization, connect, PING } from '../mcp.ts'
import { noAccess } from '../needs.ts'
import type { Check, Visit } from '../visit.ts'

const TIMES = 24

const SAME = 'the same REDIS_URL, STORE_PREFIX, ENCRYPTION_KEY and JWT_SECRET'

export const hopping: Check = {
  id: 'hopping',
  title: 'A session on any node',
  async run(visit): Promise<readonly Finding[]> {
    const obstacle = noAccess(visit)
    if (obstacle !== undefined) return [obstacle]
    return [...(await token(visit)), ...(await connection(visit))]
  },
}

/** Each node validates tokens independently. */
async function token(visit: Visit): Promise<readonly Finding[]> {
  if (visit.facts.accessToken === undefined) return []
  const statuses = await many(visit, authorization(visit))
  if (!statuses.includes(401)) return [ok(`The token is valid for all ${TIMES} requests.`)]
  return [
    wrong(
      `The token is valid for some requests only: ${tally(statuses)}.`,
      `Give all nodes ${SAME}: with another JWT_SECRET a node rejects tokens that the others signed.`,
    ),
  ]
}

/** 2025-11-25, basic/transports: an unknown MCP session is 404, and the client starts a new one. */
async function connection(visit: Visit): Promise<readonly Finding[]> {
  const opened = await connect(visit)
  if ('status' in opened) {
    return [wrong(`No MCP session opens: ${opened.status}.`, 'Look at the log of the nodes.')]
  }
  const statuses = await many(visit, opened.headers)
  await opened.end()
  if (statuses.every((status) => status === 200)) {
    return [
      ok(
        `${TIMES} requests of one session, each on its own TCP connection, are all answered. How many nodes answered is not visible from outside.`,
      ),
    ]
  }
  return [
    wrong(
      `${TIMES} requests of one session, each on a TCP connection of its own: ${tally(statuses)}.`,
      `404 comes from nodes that do not know the session: give all nodes ${SAME}. 5xx comes from a failing node: see its log.`,
    ),
  ]
}

async function many(visit: Visit, headers: Readonly<Record<string, string>>): Promise<number[]> {
  const answers = await manyTimes(TIMES, () => postJson(`${visit.base}/mcp`, PING, headers))
  return answers.map(({ status }) => status)
}
