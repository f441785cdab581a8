/** Names that nearly match a variable prevent the start; the variables of other programs do not. */

import { describe, expect, it } from 'vitest'
import { load, refusal } from './load.ts'

describe('a name of the process that nearly matches', () => {
  it.each([
    ['MCP_AUHT', 'MCP_AUTH'],
    ['MPC_AUTH', 'MCP_AUTH'],
    ['CMP_AUTH', 'MCP_AUTH'],
    ['CP_AUTH', 'MCP_AUTH'],
    ['MCP_AUT', 'MCP_AUTH'],
    ['MCP_AUTHH', 'MCP_AUTH'],
    ['MCPAUTH', 'MCP_AUTH'],
    ['MCP-AUTH', 'MCP_AUTH'],
    ['MCP.AUTH', 'MCP_AUTH'],
    ['mcp_auth', 'MCP_AUTH'],
    ['Mcp__Auth', 'MCP_AUTH'],
    ['RATELIMIT', 'RATE_LIMIT'],
    ['REDIS-URL', 'REDIS_URL'],
    ['REDIS_ULR', 'REDIS_URL'],
    ['LOGINN', 'LOGIN'],
    ['demo', 'DEMO'],
    ['NODE_EVN', 'NODE_ENV'],
    ['UPSTREAM_ALOW', 'UPSTREAM_ALLOW'],
    ['UPSTRAEM_ISUER', 'UPSTREAM_ISSUER'],
    ['ENCRIPTION_KEY', 'ENCRYPTION_KEY'],
    ['ALLOWED_HOST', 'ALLOWED_HOSTS'],
  ])('prevents the start: %s is meant to be %s', (name, meant) => {
    const { faults, message } = refusal({ [name]: 'CANARY' })
    expect(faults.map((fault) => fault.name)).toEqual([name])
    expect(faults[0]?.message).toContain(`did you mean ${meant}?`)
    expect(message).not.toContain('CANARY')
  })

  it('is reported with all other faults', () => {
    const { faults } = refusal({ MCP_AUHT: 'required', LOG_LEVEL: 'loud' })
    expect(faults.map(({ name }) => name)).toEqual(['MCP_AUHT', 'LOG_LEVEL'])
  })

  it('is ignored if it is empty, or if the variable itself is set', () => {
    expect(() => load({ MCP_AUHT: '' })).not.toThrow()
    expect(() => load({ REDIS_URI: 'redis://a', REDIS_URL: 'redis://a' })).not.toThrow()
  })
})

/** As `env` prints them there; values matter only if they look like a service link. */
const ENVIRONMENTS: Readonly<Record<string, string>> = {
  'a shell': `PATH HOME SHELL USER LOGNAME PWD OLDPWD TERM LANG LC_ALL TZ HOSTNAME HOST PORT SHLVL _
    EDITOR PAGER MAIL DISPLAY SSH_CLIENT SSH_TTY TMPDIR http_proxy https_proxy no_proxy HTTP_PROXY
    HTTPS_PROXY NO_PROXY ALL_PROXY DEBUG CI COLORTERM LS_COLORS XDG_RUNTIME_DIR`,
  npm: `npm_config_user_agent npm_config_registry npm_lifecycle_event npm_package_name NODE
    npm_package_version npm_node_execpath npm_execpath npm_command INIT_CWD COLOR npm_config_loglevel
    NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_USE_ENV_PROXY NODE_VERSION YARN_VERSION
    UV_THREADPOOL_SIZE`,
  'GitHub Actions': `GITHUB_ACTIONS GITHUB_ACTOR GITHUB_API_URL GITHUB_BASE_REF GITHUB_ENV GITHUB_REF
    GITHUB_EVENT_NAME GITHUB_JOB GITHUB_OUTPUT GITHUB_PATH GITHUB_REPOSITORY GITHUB_RUN_ID GITHUB_SHA
    GITHUB_SERVER_URL GITHUB_TOKEN GITHUB_WORKFLOW GITHUB_WORKSPACE RUNNER_ARCH RUNNER_NAME RUNNER_OS
    RUNNER_TEMP RUNNER_TOOL_CACHE RUNNER_DEBUG ImageOS ImageVersion ACTIONS_RUNTIME_TOKEN
    ACTIONS_CACHE_URL JAVA_HOME ANDROID_HOME GOROOT_1_22_X64 PIPX_HOME DOTNET_ROOT`,
  systemd: `INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID LISTEN_FDS LISTEN_PID LISTEN_FDNAMES
    NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID MAINPID STATE_DIRECTORY LOGS_DIRECTORY CACHE_DIRECTORY
    RUNTIME_DIRECTORY CONFIGURATION_DIRECTORY CREDENTIALS_DIRECTORY MEMORY_PRESSURE_WATCH`,
  platforms: `DYNO PORT RENDER RENDER_SERVICE_NAME RENDER_EXTERNAL_URL FLY_APP_NAME FLY_REGION
    K_SERVICE K_REVISION RAILWAY_PUBLIC_DOMAIN RAILWAY_SERVICE_NAME VERCEL_URL AWS_REGION
    AWS_ACCESS_KEY_ID AWS_EXECUTION_ENV ECS_CONTAINER_METADATA_URI_V4 WEBSITE_HOSTNAME
    WEBSITES_PORT CONTAINER_APP_NAME GOOGLE_CLOUD_PROJECT DATABASE_URL SENTRY_DSN APP_HOME APP_ENV
    APP_DIR APP_USER LOG_PATH LOG_DIR REDIS_TLS_URL REDIS_PASSWORD REDIS_VERSION REDIS_URL_2
    SESSION_SECRET JWT_ISSUER PUBLIC_DIR POOL_TIMEOUT HTTP_TIMEOUT`,
  OpenTelemetry: `OTEL_SDK_DISABLED OTEL_RESOURCE_ATTRIBUTES OTEL_TRACES_SAMPLER OTEL_PROPAGATORS
    OTEL_EXPORTER_OTLP_PROTOCOL OTEL_EXPORTER_OTLP_TIMEOUT OTEL_EXPORTER_OTLP_COMPRESSION
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT OTEL_EXPORTER_OTLP_LOGS_ENDPOINT OTEL_TRACES_EXPORTER
    OTEL_EXPORTER_OTLP_TRACES_HEADERS OTEL_NODE_RESOURCE_DETECTORS OTEL_LOG_LEVEL`,
}

describe('the environment of a platform', () => {
  it.each(Object.keys(ENVIRONMENTS))('of %s prevents no start', (where) => {
    const names = (ENVIRONMENTS[where] ?? '').split(/\s+/)
    // These are read, as by every program.
    const given = (name: string) => (/^https?_proxy$/i.test(name) ? 'http://proxy:3128' : 'x')
    const { config, warnings } = load(Object.fromEntries(names.map((n) => [n, given(n)])))
    expect(config.store.kind).toBe('memory')
    expect(warnings).toEqual([])
  })

  it('of Kubernetes, with services named like variables, prevents no start and sets no value', () => {
    const service = (name: string, port: number) => ({
      [`${name}_SERVICE_HOST`]: '10.0.0.1',
      [`${name}_SERVICE_PORT`]: String(port),
      [`${name}_SERVICE_PORT_HTTP`]: String(port),
      [`${name}_PORT`]: `tcp://10.0.0.1:${port}`,
      [`${name}_PORT_${port}_TCP`]: `tcp://10.0.0.1:${port}`,
      [`${name}_PORT_${port}_TCP_PROTO`]: 'tcp',
      [`${name}_PORT_${port}_TCP_PORT`]: String(port),
      [`${name}_PORT_${port}_TCP_ADDR`]: '10.0.0.1',
    })
    const names = ['KUBERNETES', 'REDIS', 'REDIS1', 'REDIS_MASTER', 'MASK_MCP', 'METRICS', 'MCP']
    const env = Object.assign({}, ...names.map((name) => service(name, 6379)))
    const { config } = load({ ...env, HOSTNAME: 'mcp-0', METRICS_PORT: 'tcp://10.0.0.2:9100' })
    expect(config.store.kind).toBe('memory')
    expect(config.http.port).toBe(6901)
    expect(config.metrics).not.toHaveProperty('port')
    expect(load({ ...env, REDIS_URL: 'redis://redis:6379' }).config.store).toMatchObject({
      host: 'redis',
    })
  })

  it('does not mistake a configured port for a service link', () => {
    expect(() => load({ MASK_MCP_PORT: 'tcp' })).toThrow('MASK_MCP_PORT')
    expect(load({ MASK_MCP_PORT: '7001' }).config.http.port).toBe(7001)
  })
})

describe('in a file', () => {
  const files = (text: string) => ({ files: { '.env': text } })

  it('a near match prevents the start, and is reported with its position', () => {
    const text = '# who may call\nMCP_AUHT=required\n'
    const { faults } = refusal({}, files(text))
    expect(faults).toEqual([
      { name: 'MCP_AUHT', message: expect.stringContaining('(.env, line 2)') },
    ])
    expect(refusal({ MCP_AUTH: 'optional' }, files(text)).faults).toHaveLength(1)
  })

  it('variables of compose.yaml are accepted', () => {
    const text = 'COMPOSE_FILE=compose.yaml\nPUBLISH=127.0.0.1:1\nREDIS_PASSWORD=CANARY\n'
    expect(load({}, files(text)).warnings).toEqual([])
  })

  it('unknown names are reported with file and line, without values', () => {
    const given = {
      argv: ['--env', 'staging'],
      files: { '.env': 'PORT=80\n\nAPP_NAME=x\n', 'staging.env': 'export SMTP_PASSWORD=CANARY\n' },
    }
    const { config, warnings } = load({}, given)
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('PORT (.env, line 1)'),
      expect.stringContaining('SMTP_PASSWORD (staging.env, line 1)'),
    ])
    expect(JSON.stringify({ config, warnings })).not.toContain('CANARY')
  })
})
