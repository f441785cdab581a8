/** The first check: whether there is an MCP server of this kind. All other checks depend on it. */

import { type Finding, wrong } from './findings.ts'
import { type Answer, ask, postJson } from './http.ts'
import { PING } from './mcp.ts'
import { reasonOf } from './reasons.ts'

/** The obstacle; undefined if there is such a server. */
export async function knock(base: string): Promise<Finding | undefined> {
  const url = `${base}/mcp`
  try {
    const answer = await postJson(url, PING)
    return obstacle(base, answer)
  } catch (error) {
    const { what, mend } = reasonOf(error)
    return wrong(`${url} cannot be reached: ${what}.`, mend)
  }
}

async function obstacle(base: string, answer: Answer): Promise<Finding | undefined> {
  const { status, headers } = answer
  const { origin, host, pathname } = new URL(base)
  if (status >= 300 && status < 400) {
    return wrong(
      `${base}/mcp redirects to ${headers.get('location')} (${status}): clients do not follow that with a POST.`,
      'Use the address of the redirect for clients and for the doctor.',
    )
  }
  if (status === 421) {
    return wrong(
      `The server does not serve the host ${host} (421), or the proxy sends another Host.`,
      `Set PUBLIC_URL=${origin} (further names: ALLOWED_HOSTS), and let the proxy pass the name on: nginx \`proxy_set_header Host $http_host;\`.`,
    )
  }
  if ([502, 503, 504].includes(status)) return noNode(status, headers)
  if (status === 401 || isOurs(answer)) return undefined
  const below = pathname === '/' ? '' : await insteadOf(origin)
  return wrong(
    `There is no MCP server at ${base}/mcp: it answers ${status} and ${headers.get('content-type') ?? 'nothing'}.`,
    below ||
      'Check the address, without /mcp at its end. A proxy must forward paths unchanged: nginx `location / { proxy_pass http://node; }`.',
  )
}

/** Whether an error has the form of this server's errors. */
function isOurs({ status, headers, text }: Answer): boolean {
  const isJson = headers.get('content-type')?.includes('json') === true
  return status !== 404 && isJson && /"jsonrpc"|"error"/.test(text)
}

function noNode(status: number, headers: Headers): Finding {
  const retry = headers.get('retry-after')
  return wrong(
    `The proxy answers, but no node behind it does (${status}${retry === null ? '' : `, Retry-After: ${retry}`}).`,
    'Look at /readyz of the nodes, at their logs, and at the address that the proxy forwards to. 503 with JSON comes from a node that cannot reach Redis.',
  )
}

/** Suggests the root of the host, if there is a server there but none below the path. */
async function insteadOf(origin: string): Promise<string> {
  const answer = await ask(`${origin}/mcp`, { method: 'POST' }).catch(() => undefined)
  const isThere = answer !== undefined && (answer.status === 401 || isOurs(answer))
  return isThere ? `There is one at ${origin}: use that address.` : ''
}
