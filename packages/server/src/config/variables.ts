/** Every environment variable: its name, its type, its default and its purpose. */

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { authVariables } from './auth-variables.ts'
import { bodyVariables } from './body-variables.ts'
import { facts } from './facts.ts'
import { issuerVariables } from './issuer-variables.ts'
import { pageVariables } from './page-variables.ts'
import { proxyVariables } from './proxy-variables.ts'
import { storeVariables } from './store-variables.ts'
import { telemetryVariables } from './telemetry-variables.ts'
import { upstreamVariables } from './upstream-variables.ts'
import { baseUrl, bytes, bytesList, integer, list, oneOf, pattern, text } from './values.ts'
import { workerVariables } from './workers.ts'

const DAY = 24 * 60 * 60
const MEBIBYTE = 1024 * 1024

const server = {
  NODE_ENV: oneOf('development', 'test', 'production').default('development').register(facts, {
    what: 'Where the server runs. `production` refuses every development default that is unsafe.',
  }),
  APP_NAME: text('a name').default('MCP Template').register(facts, {
    what: 'The name shown to clients and people.',
  }),
  APP_VERSION: text('a version').default(packageVersion).register(facts, {
    what: 'The version shown to clients and in the logs.',
    defaultText: 'the version in package.json',
  }),
  MASK_MCP_HOST: pattern(/^[\w.:-]+$/, 'a host name or an IP address')
    .default('127.0.0.1')
    .register(facts, { what: 'The address to listen on; `0.0.0.0` for all, as in a container.' }),
  MASK_MCP_PORT: integer(0, 65_535).default(6901).register(facts, {
    what: 'The port to listen on; 0 selects a free one. If unset, PORT is used, which platforms such as Heroku and Cloud Run set.',
  }),
  PUBLIC_URL: baseUrl(
    'an address such as https://mcp.example.com, without /mcp, query and fragment',
  )
    .optional()
    .register(facts, {
      what: 'Where clients and browsers reach the server: the issuer of its tokens and the start of every link. It may have a path, which a proxy may remove or leave. https, except on the machine itself, or outside production with your own identity provider; the demo requires https too.',
      requiredInProduction: true,
      defaultText: 'http://localhost:<port>',
    }),
  ALLOWED_HOSTS: list(/^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/, 'host names separated by commas')
    .default([])
    .register(facts, {
      what: 'Further accepted values of the `Host` header, in addition to that of PUBLIC_URL and the machine itself.',
    }),
  ALLOWED_ORIGINS: list(/^(?:\*|[a-z][a-z\d+.-]*:\/\/[^\s/?#*]+)$/, 'origins separated by commas')
    .default([])
    .register(facts, {
      what: 'Further browser origins that may call the server, such as https://inspector.example.com; `*` for all, which requires MCP_AUTH=required.',
    }),
  BODY_LIMIT_BYTES: integer(1024, 100 * MEBIBYTE)
    .default(MEBIBYTE)
    .register(facts, {
      what: 'The largest request body that is read, in bytes.',
    }),
  TRUSTED_PROXIES: integer(0, 16).default(0).register(facts, {
    what: 'How many of your proxies or load balancers are in front, each adding to `X-Forwarded-For`: this many addresses are trusted, counted from the right. With 0 the header is ignored, and everything from one proxy counts as one caller.',
  }),
  RATE_LIMIT: oneOf('auto', 'on', 'off').default('auto').register(facts, {
    what: 'Whether requests are counted, and excess ones refused with 429. `auto`: all but those that come from this machine itself outside production. `off` if something in front limits rates, or for benchmarks; rate limits of tools are then off, too.',
  }),
  RATE_LIMIT_CALLER: integer(1, 1_000_000).default(3000).register(facts, {
    what: 'How many requests to /mcp, /http, /sse and /messages one caller may send a minute, to all nodes together: the session of an access token, or an MCP session. A request counts as 1, and 1 more for every 16 KiB of its body, and for each resource after the first that it subscribes to (2026-07-28); beyond the limit 429.',
  }),
  RATE_LIMIT_ADDRESS: integer(1, 10_000_000).default(12_000).register(facts, {
    what: 'How many such requests callers without a valid token may send from one address a minute; beyond the limit 429.',
  }),
  RATE_LIMIT_STORED_BYTES: integer(16 * 1024, 1024 * MEBIBYTE)
    .default(2 * MEBIBYTE)
    .register(facts, {
      what: 'How many bytes callers without a token may store from one address a minute, on all nodes together: MCP sessions, sessions, subscriptions, sign-ins, authorizations, registrations and the like; beyond the limit 429. Not counted where RATE_LIMIT counts nothing.',
    }),
  MAX_STREAMS: integer(1, 1_000_000).default(2000).register(facts, {
    what: 'How many open streams one caller may have on a node, including requests that wait for a response; more are refused with 429. A caller is a session, or an address if there is none.',
  }),
  MAX_NODE_STREAMS: integer(1, 1_000_000).default(10_000).register(facts, {
    what: 'How many streams all callers together may listen to on a node; more are refused with 503.',
  }),
  MAX_CALLS: integer(1, 100_000).default(500).register(facts, {
    what: 'How many calls of one caller may run on a node at a time; more are refused with 429.',
  }),
  MAX_CONNECTIONS: integer(1, 1_000_000).default(10_000).register(facts, {
    what: 'How many live MCP sessions (2025 era) one caller may open at a node; more are refused with 429. Without a token each has a session of its own, so the address counts as the caller.',
  }),
  ...workerVariables,
  STOP_DELAY: integer(0, 60).default(1).register(facts, {
    what: 'How long a stopping server keeps serving after /readyz fails, in seconds: the time a load balancer needs to notice.',
  }),
}

const logs = {
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent')
    .default('info')
    .register(facts, { what: 'The lowest level that is logged.' }),
  LOG_FILE: text('a path').optional().register(facts, {
    what: 'A file that the log is appended to.',
    defaultText: 'standard output',
  }),
}

const encryption = {
  ENCRYPTION_KEY: bytes(32).optional().register(facts, {
    what: 'Encrypts credentials in the store and secrets in the configuration. `npx mcp-template encrypt --generate` generates one.',
    secret: true,
    requiredInProduction: true,
    defaultText: 'a published key, for development',
  }),
  ENCRYPTION_KEYS_PREVIOUS: bytesList(32).default([]).register(facts, {
    what: 'Earlier keys, which ENCRYPTION_KEY replaced: they only decrypt what is still in the store.',
    secret: true,
  }),
  ENCRYPTION_IV: bytes(16).optional().register(facts, {
    what: 'The initialisation vector for secrets in the configuration, such as REDIS_P.',
    secret: true,
  }),
}

const behaviour = {
  SESSION_TTL: integer(60, 30 * DAY)
    .default(3600)
    .register(facts, {
      what: 'How long a session lives after its last use, in seconds.',
    }),
  SESSION_DATA_LIMIT_BYTES: integer(1024, 16 * MEBIBYTE)
    .default(256 * 1024)
    .register(facts, {
      what: 'How many bytes the values may have that tools store in one session (`session.set`), together, as JSON. Each call reads them; `session.set` beyond the limit fails.',
    }),
  STREAM_MAX_SECONDS: integer(1, 30 * DAY)
    .optional()
    .register(facts, {
      what: 'How long a stream that was opened with an access token stays open, in seconds; clients reconnect then. An open stream keeps its session alive, so this bounds how long an abandoned client does.',
      defaultText: String(DAY),
    }),
  UNUSED_TTL: integer(1, 3600).default(60).register(facts, {
    what: 'How long an MCP session without a token (2025 era), and its session, live until the first request after `initialize`, in seconds, or as long as a stream of it is open. After that clients get 404, and initialize again.',
  }),
  SIGN_IN_TTL: integer(30, 3600).default(600).register(facts, {
    what: 'How long a started sign-in can be finished, in seconds.',
  }),
  RESULT_LIMIT_BYTES: integer(1024, 256 * MEBIBYTE)
    .default(10 * MEBIBYTE)
    .register(facts, {
      what: 'How many bytes the result of a tool, a resource or a prompt may have; the call of a larger one fails. A node keeps results in memory several times, and Redis those of calls that became streams (2025 era).',
    }),
  START_TIMEOUT: integer(1, 3600).default(30).register(facts, {
    what: 'How long all services of `src/mcp.ts` together may take to open, in seconds; after that the server does not start, and names the pending one.',
  }),
  TOOL_ARGUMENTS: oneOf('lenient', 'strict').default('lenient').register(facts, {
    what: 'How arguments of the wrong type are handled. `lenient`: JSON text where an object, a list, a number or a boolean is declared, and `null` for an optional field, are converted. `strict`: they are refused.',
  }),
  TOOL_TEXT_FORMAT: oneOf('json', 'toon').default('json').register(facts, {
    what: "How a tool's answer is written as text: JSON, or TOON, which needs fewer tokens for tables.",
  }),
  TOOLS_DIR: text('the path of a folder').optional().register(facts, {
    what: 'A folder with tools/, resources/ and prompts/ to serve instead of those of the project, session tools included.',
  }),
  TOOL_TIMEOUT: integer(1, 3600).default(60).register(facts, {
    what: 'How long a tool may run, in seconds, unless it declares another limit.',
  }),
  DEMO: oneOf('auto', 'on', 'off').default('auto').register(facts, {
    what: 'The built-in identity provider and sample API. `auto`: on outside production when no upstream is configured. `on` is refused in production.',
  }),
}

/** The variables by section, in the order in which the reference shows them. */
export const sections: readonly { readonly title: string; readonly variables: z.ZodRawShape }[] = [
  { title: 'Server', variables: server },
  { title: 'Bodies and connections', variables: bodyVariables },
  { title: 'Pages', variables: pageVariables },
  { title: 'Logs', variables: logs },
  { title: 'Metrics, traces and audit', variables: telemetryVariables },
  { title: 'Store', variables: storeVariables },
  { title: 'Encryption', variables: encryption },
  { title: 'Sessions and tools', variables: behaviour },
  { title: 'Access', variables: authVariables },
  { title: 'Tokens of OAUTH_ISSUER', variables: issuerVariables },
  { title: 'Upstream', variables: upstreamVariables },
  { title: 'Outgoing proxies', variables: proxyVariables },
]

export const variables = z.object({
  ...server,
  ...bodyVariables,
  ...pageVariables,
  ...logs,
  ...telemetryVariables,
  ...storeVariables,
  ...encryption,
  ...behaviour,
  ...authVariables,
  ...issuerVariables,
  ...upstreamVariables,
  ...proxyVariables,
})

export type Variables = z.output<typeof variables>

/** The same relative path from `src/config/` and `dist/config/`. */
function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version
}
