/** Starts this server in front of the tests' ticket system, on the given number of nodes. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { createMemoryStore } from '@mcp-template/server/store'
import { startTestServer } from '@mcp-template/server/testing'
import { AUDIENCE, startIssuer } from './issuer.ts'
import { STATUS_KEY, startStatusServer } from './status-server.ts'
import { createTicketApi } from './ticket-api.ts'

const project = join(import.meta.dirname, '..')

export async function start({ tickets, nodes = 1 }: { tickets: number; nodes?: number }) {
  const api = createTicketApi(tickets)
  const [issuer, status] = await Promise.all([startIssuer(), startStatusServer()])
  const store = createMemoryStore()
  const env = {
    ...parseEnv(readFileSync(join(project, '.env.example'), 'utf8')),
    ...{ OAUTH_ISSUER: issuer.url, OAUTH_AUDIENCE: AUDIENCE, MCP_AUTH: 'required' },
    ...{ DATABASE_URL: 'sqlite::memory:', TICKETS_PAGE_SIZE: '2', TICKETS_REPORT_PAGE_MS: '1000' },
    ...{ UPSTREAM_STATUS_API_URL: status.url, UPSTREAM_STATUS_API_KEY: STATUS_KEY },
  }
  const options = { project, upstream: api.answers, env, store }
  const server = await startTestServer(options)
  const further = await Promise.all(
    Array.from({ length: nodes - 1 }, () => startTestServer(options)),
  )
  const servers = [server, ...further]
  return {
    ...{ api, server, servers, token: issuer.token },
    async stop() {
      await Promise.all(servers.map((each) => each.stop()))
      await Promise.all([issuer.stop(), status.stop()])
    },
  }
}
