/** The variables of the store: where Redis is, and how the server connects to it. */

import { facts } from './facts.ts'
import { integer, oneOf, pattern, text } from './values.ts'

const ENCRYPTED = /^[A-Za-z\d+/]+={0,2}$/

export const storeVariables = {
  REDIS_URL: pattern(
    /^(?:(?:redis|valkey)s?(?:\+(?:cluster|sentinel))?|unix):\/\//,
    'redis://[user:password@]host[:port][/db], redis+cluster://[user:password@]host[:port],… or redis+sentinel://[user:password@]host[:port],…/name[/db]; rediss for TLS',
  )
    .optional()
    .register(facts, {
      what: 'The Redis server as one address; takes precedence over REDIS_HOST, REDIS_PORT, REDIS_USERNAME and REDIS_DB. `redis+cluster://` and `redis+sentinel://` take several hosts: some nodes of a cluster, or the Sentinels and the name of the master. `rediss` for TLS; `valkey` and `valkeys` mean the same. `unix://[user:password@]/path[?db=n]` is a Unix domain socket. Without any REDIS_ variable sessions are kept in memory, outside production.',
      secret: true,
    }),
  REDIS_MODE: oneOf('single', 'sentinel', 'cluster').optional().register(facts, {
    what: 'What REDIS_HOST names: one server, the Sentinels of a master, or some nodes of a Redis Cluster.',
    defaultText: 'that of REDIS_URL, else `single`',
  }),
  REDIS_HOST: pattern(
    /^[\w.:[\]-]+(?:\s*,\s*[\w.:[\]-]+)*$/,
    'a host name or an IP address; for a cluster or Sentinels several, separated by commas, each with or without a port',
  )
    .default('127.0.0.1')
    .register(facts, {
      what: 'The host of the Redis server; for a cluster or Sentinels several, separated by commas: `redis-0:6379,redis-1:6379`.',
    }),
  REDIS_PORT: integer(1, 65_535).default(6379).register(facts, {
    what: 'The port of the Redis server, and of each host that has none; 26379 for Sentinels.',
  }),
  REDIS_USERNAME: text('a user name').optional().register(facts, {
    what: 'The Redis user (ACL).',
  }),
  REDIS_P: pattern(ENCRYPTED, 'what `npx mcp-template encrypt` prints: base64')
    .optional()
    .register(facts, {
      what: 'The Redis password, encrypted with ENCRYPTION_KEY and ENCRYPTION_IV by `npx mcp-template encrypt`; also for a REDIS_URL that has none.',
      secret: true,
    }),
  REDIS_PASSWORD_FILE: text('a path').optional().register(facts, {
    what: 'A file with the Redis password, not encrypted, in place of REDIS_P. Each new connection reads it again, so that a password or a short-lived token can change while the server runs.',
  }),
  REDIS_DB: integer(0, 65_535).default(0).register(facts, {
    what: 'The number of the Redis database; a cluster has 0 only.',
  }),
  REDIS_SENTINEL_NAME: pattern(/^[^\s/]+$/, 'the name of a master, without spaces and slashes')
    .optional()
    .register(facts, {
      what: 'The name by which the Sentinels know the master, such as `mymaster`; needed for Sentinel.',
    }),
  REDIS_SENTINEL_USERNAME: text('a user name').optional().register(facts, {
    what: 'The user at the Sentinels (ACL). REDIS_USERNAME is for the master.',
  }),
  REDIS_SENTINEL_P: pattern(ENCRYPTED, 'what `npx mcp-template encrypt` prints: base64')
    .optional()
    .register(facts, {
      what: 'The password at the Sentinels, encrypted as REDIS_P is.',
      secret: true,
    }),
  REDIS_SENTINEL_PASSWORD_FILE: text('a path').optional().register(facts, {
    what: 'A file with the password at the Sentinels, as REDIS_PASSWORD_FILE, in place of REDIS_SENTINEL_P.',
  }),
  REDIS_TLS: oneOf('on', 'off').optional().register(facts, {
    what: 'Whether the server connects with TLS.',
    defaultText: '`on` for a REDIS_URL with `rediss`, else `off`',
  }),
  REDIS_CA: text('a path').optional().register(facts, {
    what: 'A PEM file with the certificate authorities that sign the certificates of Redis; they replace those of Node.',
  }),
  REDIS_TLS_NAME: pattern(/^[\w.-]+$/, 'a host name')
    .optional()
    .register(facts, {
      what: 'The host name that the certificates of Redis must have, where it differs from the host connected to. Nodes of a cluster and masters announce IP addresses.',
      defaultText: 'the host; for an announced IP address, the first host name configured',
    }),
  REDIS_CERT: text('a path').optional().register(facts, {
    what: 'A PEM file with the client certificate for Redis; needs REDIS_KEY.',
  }),
  REDIS_KEY: text('a path').optional().register(facts, {
    what: 'A PEM file with the private key of REDIS_CERT.',
  }),
  REDIS_PROTOCOL: oneOf('auto', '2', '3').default('auto').register(facts, {
    what: 'The version of the Redis protocol (RESP). `auto`: 3, or 2 for a server or proxy that refuses HELLO.',
  }),
  REDIS_CLIENT_NAME: pattern(/^[\x21-\x7e]{1,200}$/, 'visible ASCII characters without spaces')
    .optional()
    .register(facts, {
      what: 'The name of the connections in CLIENT LIST; ignored where Redis refuses CLIENT SETNAME.',
      defaultText: 'APP_NAME, the host and the process id',
    }),
  REDIS_EVICTION: oneOf('warn', 'refuse').default('warn').register(facts, {
    what: 'How to treat a Redis that evicts keys when its memory is full (`maxmemory` without `maxmemory-policy noeviction`). `warn`: a warning in the log and in /readyz. `refuse`: the node is not ready.',
  }),
  STORE_PREFIX: pattern(/^[^\s{}]+$/, 'text without spaces and braces')
    .default('mcp:')
    .register(facts, { what: 'The prefix of every key in the store.' }),
  STORE_TIMEOUT_MS: integer(10, 60_000).default(1000).register(facts, {
    what: 'How long one command to the store may take, in milliseconds.',
  }),
}
