/** Parses the addresses of Redis: one server, the Sentinels of a master, or nodes of a cluster. */

export type RedisMode = 'single' | 'sentinel' | 'cluster'

export interface RedisEndpoint {
  /** A host name or an IP address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** The parts of a `REDIS_URL`. */
export interface RedisUrl {
  readonly mode: RedisMode
  /** One for `single`, none for a socket; otherwise Sentinels, or some nodes of the cluster. */
  readonly endpoints: readonly RedisEndpoint[]
  /** The path of a Unix domain socket. */
  readonly socketPath?: string
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  readonly tls: boolean
  /** The master's name at the Sentinels. */
  readonly masterName: string | undefined
}

export const REDIS_PORT = 6379
export const SENTINEL_PORT = 26_379

/** `URL` accepts one host only: the parts are matched here, and each host is checked. */
const FORM =
  /^(?:redis|valkey)(s?)(?:\+(cluster|sentinel))?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#]*)?([?#].*)?$/

const SOCKET_FORM = /^unix:\/\/(?:([^/?#]*)@)?(\/[^?#]+)(?:\?db=(\d{1,5}))?$/

/**
 * Parses `redis[s]://…`, `redis[s]+cluster://…` and `redis[s]+sentinel://…`, `valkey` for `redis`, and
 * `unix://[user:password@]/path[?db=n]`.
 * @returns the parts, or why it is refused, to follow the name of the variable; never with a value
 */
export function parseRedisUrl(given: string): RedisUrl | string {
  const parsed = parse(given)
  return typeof parsed === 'string' && UNENCODED.test(given) ? ENCODE : parsed
}

/** A slash, question mark or hash before the `@` that ends credentials. */
const UNENCODED = /:\/\/[^@]*[/?#][^@]*@/
const ENCODE = 'must have percent-encoded credentials: %2F for /, %3F for ?, %23 for #, %25 for %'

function parse(given: string): RedisUrl | string {
  if (given.startsWith('unix:')) return parseSocket(given)
  const [, secure, kind, credentials = '', hosts = '', path = '', rest] = FORM.exec(given) ?? []
  if (secure === undefined) return 'must be an address without spaces'
  if (rest !== undefined) return 'must have no query and no fragment'
  const mode = (kind ?? 'single') as RedisMode
  if (mode === 'single' && !hosts.includes(',') && !URL.canParse(given)) {
    return 'must be redis://[user:password@]host[:port][/db]'
  }
  const endpoints = parseRedisHosts(hosts, mode === 'sentinel' ? SENTINEL_PORT : REDIS_PORT)
  if (typeof endpoints === 'string') return endpoints
  if (mode === 'single' && endpoints.length > 1) return ONE_HOST
  const user = parseCredentials(credentials)
  if (user === undefined) return ENCODE
  const target = mode === 'sentinel' ? parseSentinelPath(path) : parsePath(path, mode)
  if (typeof target === 'string') return target
  return { mode, endpoints, tls: secure === 's', ...target, ...user }
}

function parseSocket(given: string): RedisUrl | string {
  const [, credentials = '', path = '', db = '0'] = SOCKET_FORM.exec(given) ?? []
  const socketPath = decode(path)
  if (!socketPath) return 'must be unix://[user:password@]/path[?db=n]'
  const user = parseCredentials(credentials)
  if (user === undefined) return ENCODE
  const single = { mode: 'single', endpoints: [], tls: false, masterName: undefined } as const
  return { ...single, socketPath, db: Number(db), ...user }
}

function parseCredentials(given: string): Pick<RedisUrl, 'username' | 'password'> | undefined {
  const [, name = '', secret = ''] = /^([^:]*):?(.*)$/.exec(given) ?? []
  const [username, password] = [decode(name), decode(secret)]
  if (username === undefined || password === undefined) return undefined
  return { username: username || undefined, password: password || undefined }
}

const ONE_HOST =
  'must name one host; several need redis+cluster:// or redis+sentinel://, or REDIS_MODE'

/** Hosts separated by commas, each `host`, `host:port`, `[IPv6]`, `[IPv6]:port` or a bare IPv6. */
export function parseRedisHosts(
  given: string,
  defaultPort: number,
): readonly RedisEndpoint[] | string {
  const endpoints: RedisEndpoint[] = []
  for (const [index, entry] of given.split(',').entries()) {
    const endpoint = parseEndpoint(entry.trim(), defaultPort)
    if (endpoint === undefined) {
      return given.includes(',')
        ? `must have a host and a port from 1 to 65535 at place ${index + 1} of its list`
        : 'must have a host, and a port from 1 to 65535 if any'
    }
    endpoints.push(endpoint)
  }
  return endpoints
}

const BRACKETED = /^\[([\da-f:.]+)\](?::(\d{1,5}))?$/i
const NAMED = /^([\w.-]+)(?::(\d{1,5}))?$/
const BARE_IPV6 = /^([\da-f]*:[\da-f]*:[\da-f:.]*)$/i

function parseEndpoint(entry: string, defaultPort: number): RedisEndpoint | undefined {
  const match = BRACKETED.exec(entry) ?? NAMED.exec(entry) ?? BARE_IPV6.exec(entry)
  const [, host = '', digits] = match ?? []
  const port = digits === undefined ? defaultPort : Number(digits)
  if (host === '' || port < 1 || port > 65_535) return undefined
  if (host.includes(':') && !URL.canParse(`http://[${host}]/`)) return undefined
  return { host, port }
}

type Target = Pick<RedisUrl, 'db' | 'masterName'>

function parsePath(path: string, mode: RedisMode): Target | string {
  const db = /^\/?(\d{0,5})$/.exec(path)?.[1]
  if (db === undefined) return 'must have the number of a database after the slash'
  if (mode === 'cluster' && Number(db) !== 0) {
    return 'must have no database number: a cluster has database 0 only'
  }
  return { db: Number(db), masterName: undefined }
}

/** `/name` or `/name/db`. The name may also be in REDIS_SENTINEL_NAME. */
function parseSentinelPath(path: string): Target | string {
  const [, encoded = '', db = '0'] = /^\/?([^/]*)(?:\/(\d{0,5}))?$/.exec(path) ?? ['', '/', '']
  const masterName = encoded === '/' ? undefined : decode(encoded)
  if (masterName === undefined || /[\s/]/.test(masterName)) {
    return 'must name the master after the hosts: redis+sentinel://host,host/name[/db]'
  }
  return { db: Number(db), masterName: masterName === '' ? undefined : masterName }
}

function decode(component: string): string | undefined {
  try {
    return decodeURIComponent(component)
  } catch {
    return undefined
  }
}
