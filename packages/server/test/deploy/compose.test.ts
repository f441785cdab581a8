/** The compose files: valid, ordered, safe by default, and complete with generated secrets. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, expect, it } from 'vitest'
import { load } from '../config/load.ts'
import { ROOT } from '../docs/markdown.ts'
import { checksMissing, PYTHON } from '../support/deploy-tools.ts'
import { COMMAND } from '../support/project-copy.ts'
import { describeUnless } from '../support/suite-that-needs.ts'
import { type ComposeFile, filledIn, serverEnvironment, services } from './compose.ts'

const FILES: readonly ComposeFile[] = ['compose.yaml', 'compose.production.yaml']

/** Drain time: how long calls may take after SIGTERM. */
const DRAIN_SECONDS = 25

/** The example with the secrets that its command generates. */
function productionEnv(): Record<string, string> {
  const example = readFileSync(join(ROOT, 'deploy/production.env.example'), 'utf8')
  const command = [...COMMAND, 'encrypt', '--generate']
  const { stdout } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8' })
  return parseEnv(example + stdout) as Record<string, string>
}

describeUnless(checksMissing, 'REQUIRE_DEPLOY', 'compose files', () => {
  const complaints = (text: string) => {
    const script =
      'import sys, compose_spec as c; c.PyCompose.from_yaml(sys.stdin.read()).to_spec()'
    return spawnSync(PYTHON, ['-c', script], { input: text, encoding: 'utf8' }).stderr
  }

  it.each(FILES)(
    'are valid by the specification: %s',
    (file) => {
      expect(complaints(filledIn(file, productionEnv()))).toBe('')
    },
    60_000,
  )

  it('would be refused for a misspelt name, or an unknown condition', () => {
    const text = filledIn('compose.yaml')
    expect(complaints(text.replace('read_only:', 'readonly:'))).toContain('readonly')
    expect(complaints(text.replace('service_healthy', 'healthy'))).toContain('condition')
  })
})

describe('docker compose up', () => {
  const { redis, server, balancer } = services()

  it('starts Redis, then three nodes, then the balancer, each once the previous one is healthy', () => {
    expect(redis.depends_on).toBeUndefined()
    expect(server.depends_on).toEqual({ redis: { condition: 'service_healthy' } })
    expect(balancer.depends_on).toEqual({ server: { condition: 'service_healthy' } })
    expect(server.deploy?.replicas).toBe(3)
    expect([redis.healthcheck, balancer.healthcheck]).not.toContain(undefined)
  })

  it('persists Redis to disk, evicts nothing, and requires a password', () => {
    expect(redis.image).toBe('redis:8-alpine')
    const [program, ...args] = redis.command ?? []
    const options = Object.fromEntries(
      args.flatMap((name, index) => (index % 2 === 0 ? [[name, args[index + 1]]] : [])),
    )
    expect(program).toBe('redis-server')
    expect(options).toMatchObject({
      '--appendonly': 'yes',
      '--maxmemory-policy': 'noeviction',
      '--requirepass': 'development',
    })
    expect(redis.volumes).toEqual(['redis:/data'])
    expect(redis.ports).toBeUndefined()
  })

  it('is reachable from this machine only, through the load balancer', () => {
    expect([server.ports, balancer.ports]).toEqual([undefined, ['127.0.0.1:6901:8080']])
    expect(balancer.volumes).toEqual(['./deploy/nginx.conf:/etc/nginx/nginx.conf:ro'])
  })

  it('runs servers without write access and without capabilities', () => {
    for (const service of [server, balancer]) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
    }
  })

  it('waits longer for a node that stops than it takes to finish calls', () => {
    const delay = Number(server.environment?.STOP_DELAY)
    expect(Number.parseInt(server.stop_grace_period ?? '', 10)).toBeGreaterThan(
      delay + DRAIN_SECONDS,
    )
  })

  it('serves the demo on nodes that share a Redis and trust their load balancer', () => {
    const { config, secrets } = load(serverEnvironment(['compose.yaml']))
    expect(config.upstream.kind).toBe('demo')
    expect(config.store).toMatchObject({ kind: 'redis', host: 'redis' })
    expect(secrets.redisPassword).toBe('development')
    expect(config.http).toMatchObject({ publicUrl: 'http://localhost:6901', trustedProxies: 1 })
  })

  it('ignores settings in .env that only a server outside of containers needs', () => {
    const dotEnv = {
      REDIS_HOST: '127.0.0.1',
      REDIS_P: 'AAAA',
      LOG_FILE: '/x.log',
      MASK_MCP_PORT: '1',
    }
    const { config } = load(serverEnvironment(['compose.yaml'], dotEnv))
    expect(config.store).toMatchObject({ host: 'redis' })
    expect([config.http.port, config.log.file]).toEqual([6901, undefined])
  })
})

describe('in production', () => {
  it('requires a password for Redis and a public URL', () => {
    expect(() => filledIn('compose.production.yaml')).toThrow('REDIS_PASSWORD is made by')
    expect(() => filledIn('compose.production.yaml', { REDIS_PASSWORD: 'x' })).toThrow('PUBLIC_URL')
  })

  it('is complete with the example and the generated secrets', () => {
    const dotEnv = productionEnv()
    expect(dotEnv.COMPOSE_FILE?.split(':')).toEqual(FILES)
    const { config, secrets } = load(serverEnvironment(FILES, dotEnv))
    expect(config).toMatchObject({
      isProduction: true,
      usesDevelopmentKey: false,
      upstream: { kind: 'configured' },
      auth: { required: true },
      http: { publicUrl: dotEnv.PUBLIC_URL, trustedProxies: 2 },
    })
    expect(secrets.redisPassword).toMatch(/^[\da-f]{48}$/)
    expect(services(dotEnv).redis.command).toContain(secrets.redisPassword)
  })
})
