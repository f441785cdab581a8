/** Loads the configuration once, at start: a frozen value that is safe to log, and the secrets. */

import { accessWarnings, developmentWarnings } from './config/access-warnings.ts'
import { applyPreset } from './config/apply-preset.ts'
import { chooseAuth } from './config/choose-auth.ts'
import { chooseHttp } from './config/choose-http.ts'
import { chooseKeys } from './config/choose-keys.ts'
import { chooseStore, type StoreSecrets } from './config/choose-store.ts'
import { chooseTelemetry } from './config/choose-telemetry.ts'
import { type ChosenUpstream, chooseUpstreams, namesUpstream } from './config/choose-upstream.ts'
import { defined } from './config/defined.ts'
import { Faults } from './config/faults.ts'
import { chooseIntroduction } from './config/introduction.ts'
import { parseVariables } from './config/parse-variables.ts'
import { readSecretFiles } from './config/secret-files.ts'
import { Secrets } from './config/secrets.ts'
import { chooseServed } from './config/server-options.ts'
import { chooseSettings, secretSettings, type TeamSettings } from './config/settings.ts'
import type { Config, ConfigWarning, FurtherUpstream, NamedUpstream } from './config/shape.ts'
import { type ConfigSources, type RawVariables, readSources } from './config/sources.ts'
import { variables as schema, type Variables } from './config/variables.ts'
import { chooseWorkers, shareOf } from './config/workers.ts'

export { ConfigError } from './config/faults.ts'
export type { Dialect } from './config/presets.ts'
export type { Secrets, UpstreamSecrets } from './config/secrets.ts'
export { optionVariables } from './config/server-options.ts'
export type { TeamSettings } from './config/settings.ts'
export type * from './config/shape.ts'
export type { ConfigSources } from './config/sources.ts'

export interface LoadedConfig {
  readonly config: Config
  readonly secrets: Secrets
  /** The team's own variables, which are never logged. */
  readonly settings: TeamSettings
  /** Settings without effect, or with a surprising one; for the log. */
  readonly warnings: readonly ConfigWarning[]
}

/**
 * Reads and checks the configuration. Throws `ConfigError` with every fault at once; no message
 * shows a value.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const faults = new Faults()
  const read = { cwd: sources.cwd, ofTeam: secretSettings(sources.settings) }
  const given = readSecretFiles(readSources(sources, faults), read, faults)
  const raw = applyPreset(withPlatformPort(given, sources.env), faults)
  const variables = parseVariables(schema, raw, faults)
  const { keys, usesDevelopmentKey } = chooseKeys(variables, faults)
  const { store, secrets: storeSecrets } = chooseStore(raw, variables, sources.cwd, faults)
  const [first, ...further] = chooseUpstreams(raw, variables, faults)
  const { config: upstream, allow } = first
  const facts = {
    kind: upstream.kind,
    isNamed: namesUpstream(raw) || variables.UPSTREAMS.length > 0,
  }
  const { auth, jwtSecret } = chooseAuth(variables, facts, faults)
  const signIn = { ttlSeconds: variables.SIGN_IN_TTL, ...defined({ allow }) }
  const { argv, isAlone = false } = sources
  const shared = { workers: variables.WORKERS, store, argv, isAlone }
  const workers = chooseWorkers(raw, shared, faults)
  const http = shareOf(chooseHttp(raw, variables, faults), workers, faults)
  const serves = chooseServed(sources.options ?? {}, raw, faults)
  const telemetry = chooseTelemetry(variables, serves, faults)
  const settings = chooseSettings(sources.settings, raw, faults)
  faults.throwIfAny()

  const platformPort = raw.MASK_MCP_PORT === sources.env.PORT ? sources.env.PORT : undefined
  const chosen = { usesDevelopmentKey, store, signIn, auth, workers, http, serves, telemetry }
  const upstreams = { upstream, further }
  const config = configOf(sources, raw, variables, { ...chosen, ...upstreams, platformPort })
  const secrets = secretsOf(variables, [first, ...further], { keys, jwtSecret, storeSecrets })
  return { config: deepFreeze(config), secrets, settings, warnings: faults.warnings }
}

type Chosen = Pick<
  Config,
  'usesDevelopmentKey' | 'store' | 'signIn' | 'auth' | 'workers' | 'http' | 'serves' | 'upstream'
> & {
  readonly telemetry: ReturnType<typeof chooseTelemetry>
  readonly further: readonly ChosenUpstream<NamedUpstream>[]
  /** The port that a platform sets (`PORT`), if it is used. */
  readonly platformPort: string | undefined
}

function configOf(
  sources: ConfigSources,
  raw: RawVariables,
  variables: Variables,
  chosen: Chosen,
): Config {
  const { auth, further, http, platformPort, signIn, telemetry, upstream } = chosen
  const isProduction = variables.NODE_ENV === 'production'
  return {
    env: variables.NODE_ENV,
    isProduction,
    usesDevelopmentKey: chosen.usesDevelopmentKey,
    app: chooseApp(sources, variables),
    pages: choosePages(variables),
    ...defined({ introduction: chooseIntroduction(sources.options ?? {}) }),
    serves: chosen.serves,
    landing: { showsTools: showsTools(variables) },
    workers: chosen.workers,
    http,
    ...telemetry,
    store: chosen.store,
    session: {
      ttlSeconds: variables.SESSION_TTL,
      unusedTtlSeconds: Math.min(variables.UNUSED_TTL, variables.SESSION_TTL),
      dataLimitBytes: variables.SESSION_DATA_LIMIT_BYTES,
    },
    signIn,
    auth,
    startTimeoutSeconds: variables.START_TIMEOUT,
    tools: {
      textFormat: variables.TOOL_TEXT_FORMAT,
      timeoutSeconds: variables.TOOL_TIMEOUT,
      resultLimitBytes: variables.RESULT_LIMIT_BYTES,
      ...(variables.TOOL_ARGUMENTS === 'strict' && { arguments: 'strict' }),
      ...defined({ directory: variables.TOOLS_DIR }),
    },
    upstream,
    ...(further.length > 0 && { furtherUpstreams: further.map(furtherOf) }),
    outgoing: chooseOutgoing(variables),
    accessWarnings: isProduction
      ? accessWarnings(raw, { auth, upstream, signIn, platformPort })
      : developmentWarnings(http.publicUrl),
  }
}

interface ChosenSecrets {
  readonly keys: readonly Buffer[]
  readonly jwtSecret: string
  readonly storeSecrets: StoreSecrets
}

function secretsOf(
  variables: Variables,
  [first, ...further]: ReturnType<typeof chooseUpstreams>,
  chosen: ChosenSecrets,
): Secrets {
  return new Secrets({
    encryptionKeys: Object.freeze([...chosen.keys]),
    jwtSecret: chosen.jwtSecret,
    oauthClients: deepFreeze(variables.OAUTH_CLIENTS),
    ...chosen.storeSecrets,
    upstreamClientSecret: first.secrets.clientSecret,
    upstreamClientKey: first.secrets.clientKey,
    upstreamApiKey: first.secrets.apiKey,
    upstreamServiceKey: first.secrets.serviceKey,
    upstreamServiceClientSecret: first.secrets.serviceClientSecret,
    furtherUpstreams: new Map(further.map(({ config: { name }, secrets: own }) => [name, own])),
    httpProxy: variables.HTTP_PROXY,
    httpsProxy: variables.HTTPS_PROXY,
    introspectionClientSecret: variables.OAUTH_INTROSPECTION_CLIENT_SECRET,
    metricsToken: variables.METRICS_TOKEN,
    otlpHeaders: variables.OTEL_EXPORTER_OTLP_HEADERS,
  })
}

/** Colour, description and support address of the pages. */
function choosePages(variables: Variables): Config['pages'] {
  return {
    color: `#${variables.APP_COLOR.replace('#', '').toLowerCase()}`,
    ...defined({ description: variables.APP_DESCRIPTION, supportUrl: variables.APP_SUPPORT_URL }),
  }
}

/** Origins of the outgoing proxies, without their credentials, which are secrets. */
function chooseOutgoing({ NO_PROXY, HTTP_PROXY, HTTPS_PROXY }: Variables): Config['outgoing'] {
  const proxies = {
    httpProxy: originOf(HTTP_PROXY),
    httpsProxy: originOf(HTTPS_PROXY),
  }
  return { noProxy: NO_PROXY, ...defined(proxies) }
}

function originOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : new URL(address).origin
}

/** APP_NAME overrides both names of the server's declaration: the identifier and the title. */
function chooseApp({ declared, identifier }: ConfigSources, variables: Variables): Config['app'] {
  const { APP_NAME: name, APP_VERSION: version } = variables
  const isDeclared = name === declared?.APP_NAME
  return { name, version, identifier: (isDeclared ? identifier : undefined) ?? name }
}

/** Falls back to PORT, which platforms set; ignores a value that is not a port number. */
function withPlatformPort(raw: RawVariables, { PORT = '' }: ConfigSources['env']): RawVariables {
  const isPort = /^\d{1,5}$/.test(PORT) && Number(PORT) <= 65_535
  return raw.MASK_MCP_PORT === undefined && isPort ? { ...raw, MASK_MCP_PORT: PORT } : raw
}

function furtherOf({ config, allow }: ChosenUpstream<NamedUpstream>): FurtherUpstream {
  return { ...config, ...defined({ allow }) }
}

/** `auto` shows the tools only if clients can list them without a token, to leak none. */
function showsTools({ LANDING_TOOLS: choice, MCP_AUTH }: Variables): boolean | 'signed-in' {
  if (choice === 'signed-in') return choice
  return choice === 'auto' ? MCP_AUTH === 'optional' : choice === 'show'
}

/** Valid but questionable settings of `transport`; `start` logs them, `check` prints them. */
export function configWarnings(
  { config, warnings }: LoadedConfig,
  transport: 'http' | 'stdio' = 'http',
): readonly ConfigWarning[] {
  if (transport === 'stdio') return warnings
  const unlimited = config.http.rateLimit ? [] : [UNLIMITED]
  return [...warnings, ...config.accessWarnings, ...unlimited]
}

const UNLIMITED: ConfigWarning = {
  code: 'rate_limit_off',
  message:
    'RATE_LIMIT=off: nothing is counted, not even calls of tools with a rate limit, and anybody may send any number of requests',
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part)
  }
  return Object.freeze(value)
}
