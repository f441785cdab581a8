/** Every environment variable: its name, its type, its default and its purpose. */

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { authVariables } from './auth-variables.ts'
import { bodyVariables } from './body-variables.ts'
import { facts } from './facts.ts'
import { issuerVariables } from './issuer-variables.ts'
import { pageVariables } from './page-variables.ts'
import { proxyVariables } from './proxy-variables.ts'
import { telemetryVariables } from './telemetry-variables.ts'
import { upstreamVariables } from './upstream-variables.ts'
import { baseUrl, bytes, bytesList, integer, list, oneOf, pattern, text } from './values.ts'

const DAY = 24 * 60 * 60
const MEBIBYTE = 1024 * 1024

const server = {
  NODE_ENV: oneOf('development', 'test', 'production').default('development').register(facts, {
    what: 'Where the server runs. `production` refuses every development default that is not safe.',
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
    what: 'The port to listen on; 0 takes a free one. Where it is not set, PORT of the process is used, as platforms such as Heroku and Cloud Run set it.',
  }),
  PUBLIC_URL: baseUrl(
    'an address such as https://mcp.example.com, without /mcp, query and fragment',
  )
    .optional()
    .register(facts, {
      what: 'Where clients and browsers reach the server: the issuer of its tokens and the start of every link. It may have a path, which a proxy may remove or leave. https, except on the machine itself, or outside production with an identity provider of your own: the demo wants it too.',
      requiredInProduction: true,
      defaultText: 'http://localhost:<port>',
    }),
  ALLOWED_HOSTS: list(/^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/, 'host names separated by commas')
    .default([])
    .register(facts, {
      what: 'Further values of the `Host` header that are served, besides that of PUBLIC_URL and the machine itself.',
    }),
  ALLOWED_ORIGINS: list(/^[a-z][a-z\d+.-]*:\/\/[^\s/?#]+$/, 'origins separated by commas')
    .default([])
    .register(facts, {
      what: 'Further browser origins that may call the server, such as https://inspector.example.com.',
    }),
  BODY_LIMIT_BYTES: integer(1024, 100 * MEBIBYTE)
    .default(MEBIBYTE)
    .register(facts, {
      what: 'The largest request body that is read, in bytes.',
    }),
  TRUSTED_PROXIES: integer(0, 16).default(0).register(facts, {
    what: 'How many proxies or balancers of yours stand in front, each adding to `X-Forwarded-For`: so many addresses are believed, counted from the right. With 0 the header is ignored, and all that comes through one proxy counts as one caller.',
  }),
  RATE_LIMIT: oneOf('auto', 'on', 'off').default('auto').register(facts, {
    what: 'Whether requests are counted, and too many refused with 429. `auto`: all but those that come from this machine itself outside production. `off` if something in front counts, or for benchmarks; limits of tools are off then too.',
  }),
  RATE_LIMIT_CALLER: integer(1, 1_000_000).default(3000).register(facts, {
    what: 'How many requests to /mcp, /http, /sse and /messages one caller may send a minute, to all nodes together: the session of an access token, or a connection. A request counts as 1, and 1 more for every 16 KiB of its body; beyond it 429.',
  }),
  RATE_LIMIT_ADDRESS: integer(1, 10_000_000).default(12_000).register(facts, {
    what: 'How many such requests all that have no token, or a bad one, may send from one address a minute; beyond it 429.',
  }),
  RATE_LIMIT_STORED_BYTES: integer(16 * 1024, 1024 * MEBIBYTE)
    .default(2 * MEBIBYTE)
    .register(facts, {
      what: 'How many bytes all that have no token may have stored from one address a minute, on all nodes together: connections, sessions, subscriptions, sign-ins, authorizations, registrations and their like; beyond it 429. Not counted where RATE_LIMIT counts nothing.',
    }),
  MAX_STREAMS: integer(1, 1_000_000).default(2000).register(facts, {
    what: 'How many open streams one caller has on a node, requests that wait for an answer included; more are refused with 429. A caller is a session, or an address where there is none.',
  }),
  MAX_NODE_STREAMS: integer(1, 1_000_000).default(10_000).register(facts, {
    what: 'How many streams all callers listen to on a node; more are refused with 503.',
  }),
  MAX_CALLS: integer(1, 100_000).default(500).register(facts, {
    what: 'How many calls of one caller run on a node at a time; more are refused with 429.',
  }),
  MAX_CONNECTIONS: integer(1, 1_000_000).default(10_000).register(facts, {
    what: 'How many live connections of the 2025 era one caller opened at a node; more are refused with 429. Without a token each brings a session of its own, so that the caller is the address.',
  }),
  STOP_DELAY: integer(0, 60).default(1).register(facts, {
    what: 'How long a stopping server goes on serving after /readyz said so, in seconds: the time a balancer needs to notice.',
  }),
}

const logs = {
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent')
    .default('info')
    .register(facts, { what: 'The least important level that is written.' }),
  LOG_FILE: text('a path').optional().register(facts, {
    what: 'A file the log is appended to.',
    defaultText: 'standard output',
  }),
}

const store = {
  REDIS_URL: pattern(
    /^rediss?:\/\//,
    'redis://[user:password@]host[:port][/db], or rediss:// for TLS',
  )
    .optional()
    .register(facts, {
      what: 'The Redis server as one address; wins over REDIS_HOST, REDIS_PORT, REDIS_USERNAME and REDIS_DB. Without any REDIS_ variable sessions are kept in memory, outside production.',
      secret: true,
    }),
  REDIS_HOST: pattern(/^[\w.:-]+$/, 'a host name or an IP address')
    .default('127.0.0.1')
    .register(facts, { what: 'The host of the Redis server.' }),
  REDIS_PORT: integer(1, 65_535).default(6379).register(facts, {
    what: 'The port of the Redis server.',
  }),
  REDIS_USERNAME: text('a user name').optional().register(facts, {
    what: 'The Redis user, where the server has users.',
  }),
  REDIS_P: pattern(/^[A-Za-z\d+/]+={0,2}$/, 'what `npx mcp-template encrypt` prints: base64')
    .optional()
    .register(facts, {
      what: 'The Redis password, encrypted with ENCRYPTION_KEY and ENCRYPTION_IV by `npx mcp-template encrypt`; also for a REDIS_URL that has none.',
      secret: true,
    }),
  REDIS_DB: integer(0, 65_535).default(0).register(facts, {
    what: 'The number of the Redis database.',
  }),
  REDIS_EVICTION: oneOf('warn', 'refuse').default('warn').register(facts, {
    what: 'What a Redis is worth that deletes keys when its memory is full (`maxmemory` without `maxmemory-policy noeviction`). `warn`: a line in the log and in /readyz. `refuse`: the node is not ready.',
  }),
  STORE_PREFIX: pattern(/^[^\s{}]+$/, 'text without spaces and braces')
    .default('mcp:')
    .register(facts, { what: 'What every key in the store starts with.' }),
  STORE_TIMEOUT_MS: integer(10, 60_000).default(1000).register(facts, {
    what: 'How long one command to the store may take, in milliseconds.',
  }),
}

const encryption = {
  ENCRYPTION_KEY: bytes(32).optional().register(facts, {
    what: 'Encrypts credentials in the store and secrets in the configuration. `npx mcp-template encrypt --generate` makes one.',
    secret: true,
    requiredInProduction: true,
    defaultText: 'a published key, for development',
  }),
  ENCRYPTION_KEYS_PREVIOUS: bytesList(32).default([]).register(facts, {
    what: 'Keys that ENCRYPTION_KEY replaced: they only decrypt what is still in the store.',
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
  STREAM_MAX_SECONDS: integer(1, 30 * DAY)
    .optional()
    .register(facts, {
      what: 'How long a stream that was opened with an access token stays open, in seconds; clients reconnect then. It keeps its session alive, so a client that is forgotten would keep it alive too.',
      defaultText: String(DAY),
    }),
  UNUSED_TTL: integer(1, 3600).default(60).register(facts, {
    what: 'How long a connection of the 2025 era without a token, and its session, live until their first request after `initialize`, in seconds; while a stream of it is open, they live on. 404 after that: clients connect anew.',
  }),
  SIGN_IN_TTL: integer(30, 3600).default(600).register(facts, {
    what: 'How long a started sign-in can be finished, in seconds.',
  }),
  START_TIMEOUT: integer(1, 3600).default(30).register(facts, {
    what: 'How long all services of `src/mcp.ts` together may take to open, in seconds; after that the server names the one that is pending, and does not start.',
  }),
  TOOL_ARGUMENTS: oneOf('lenient', 'strict').default('lenient').register(facts, {
    what: 'What becomes of arguments that do not fit. `lenient`: JSON text where an object, a list, a number or a boolean is declared, and `null` for an optional field, are taken for what they mean. `strict`: they are refused.',
  }),
  TOOL_TEXT_FORMAT: oneOf('json', 'toon').default('json').register(facts, {
    what: "How a tool's answer is written as text: JSON, or TOON, which takes fewer tokens for tables.",
  }),
  TOOLS_DIR: text('the path of a folder').optional().register(facts, {
    what: 'A folder with tools/, resources/ and prompts/ to serve instead of all that the project has, session tools included.',
  }),
  TOOL_TIMEOUT: integer(1, 3600).default(60).register(facts, {
    what: 'How long a tool may run, in seconds, where it does not say otherwise.',
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
  { title: 'Store', variables: store },
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
  ...store,
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
