/** The examples for Sentinel, Redis Cluster and WORKERS: valid, complete, and accepted by a real Redis. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse, stringify } from 'yaml'
import { load, production } from '../config/load.ts'
import { ROOT } from '../docs/markdown.ts'
import { checksMissing, KUBERNETES_VALIDATE, PYTHON } from '../support/deploy-tools.ts'
import { freePort } from '../support/free-port.ts'
import { launch } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { describeUnless } from '../support/suite-that-needs.ts'
import { type ComposeFile, read, serverEnvironment } from './compose.ts'

const TOPOLOGIES = ['sentinel', 'cluster'] as const
const COMPOSE: readonly ComposeFile[] = [
  ...TOPOLOGIES.map((each) => `deploy/compose.${each}.yaml` as const),
  'deploy/compose.workers.yaml',
]

describeUnless(checksMissing, 'REQUIRE_DEPLOY', 'the examples', () => {
  it.each(COMPOSE)('are valid for Compose: %s', (file) => {
    const script =
      'import sys, compose_spec as c; c.PyCompose.from_yaml(sys.stdin.read()).to_spec()'
    // The parser does not know the merge keys of YAML, which Compose does.
    const input = stringify(read(file))
    expect(spawnSync(PYTHON, ['-c', script], { input, encoding: 'utf8' }).stderr).toBe('')
  })

  it.each(TOPOLOGIES)('match the schemas of Kubernetes: %s', (topology) => {
    const paths = manifestsOf(topology).map((name) => join(folderOf(topology), name))
    const { status, stdout, stderr } = spawnSync(KUBERNETES_VALIDATE, ['--strict', ...paths], {
      encoding: 'utf8',
    })
    expect(status, stdout + stderr).toBe(0)
  })
})

describe.each(TOPOLOGIES)('docker compose with %s', (topology) => {
  const file = `deploy/compose.${topology}.yaml` as const
  const { services } = read(file)

  it('gives the nodes the addresses of its services', () => {
    const { config, secrets } = load(serverEnvironment(['compose.yaml', file]))
    expect(config.store).toMatchObject({ kind: 'redis', mode: topology })
    const { endpoints = [] } = config.store as { endpoints?: readonly { host: string }[] }
    expect(endpoints).toHaveLength(3)
    for (const { host } of endpoints) expect(services).toHaveProperty(host)
    expect(secrets.redisPassword).toBe('development')
  })

  it('starts nodes when Redis is complete', () => {
    const needed = Object.keys(services.server?.depends_on ?? {})
    expect(needed.length).toBeGreaterThan(0)
    for (const name of needed) expect(services).toHaveProperty(name)
  })

  it('keeps the data of each server in a volume of its own', () => {
    const volumes = Object.values(services).flatMap((service) => service.volumes ?? [])
    expect(new Set(volumes).size).toBe(volumes.length)
    const servers = Object.keys(services).filter((name) => /-\d$/.test(name))
    expect(volumes).toHaveLength(servers.length)
  })
})

describe('docker compose with sentinel', () => {
  /** The arguments of a server, if Sentinels name this master, or do not respond. */
  function startOf(name: string, master: string | undefined): string {
    const { content = '' } = read('deploy/compose.sentinel.yaml').configs?.start ?? {}
    const programs = `ask() { ${master === undefined ? 'false' : `echo ${master}; echo 6379`}; }
      entrypoint() { echo "$@"; }`
    const script = content
      .replaceAll('$$', '$')
      .replace('redis-cli', 'ask')
      .replace('exec docker-entrypoint.sh', 'entrypoint')
    const args = ['-c', `${programs}\n${script}`, 'sh', name]
    return spawnSync('sh', args, { encoding: 'utf8' }).stdout.trim()
  }
  const withRole = (name: string, role: string) =>
    `redis-server /etc/redis.conf --replica-announce-ip ${name}${role}`

  it.each([
    ['redis', undefined, ''],
    ['redis-2', undefined, ' --replicaof redis 6379'],
    ['redis', 'redis-2', ' --replicaof redis-2 6379'],
    ['redis-2', 'redis-2', ''],
  ])('starts %s in its role if the master is %s', (name, master, role) => {
    expect(startOf(name, master)).toBe(withRole(name, role))
  })
})

describe('docker compose with workers', () => {
  it('runs one container with a worker for each core', () => {
    const { services } = read('deploy/compose.workers.yaml')
    expect(services.server?.deploy?.replicas).toBe(1)
    const env = serverEnvironment(['compose.yaml', 'deploy/compose.workers.yaml'])
    expect(load(env).config.workers).toBe(availableParallelism())
  })
})

describe.each(TOPOLOGIES)('Kubernetes with %s', (topology) => {
  const readYaml = (name: string) =>
    parse(readFileSync(join(folderOf(topology), name), 'utf8'), { merge: true })
  const kustomization = readFileSync(join(folderOf(topology), 'kustomization.yaml'), 'utf8')

  it('has all manifests, except the example of the secret', () => {
    const { resources } = parse(kustomization) as { resources: string[] }
    const own = resources.filter((each) => each !== '../kubernetes')
    expect([...own, 'secret.example.yaml'].sort()).toEqual(manifestsOf(topology).sort())
  })

  it('names existing pods in the address', () => {
    const [REDIS_URL = ''] = /^# +(redis\+\S+)$/m.exec(kustomization)?.slice(1) ?? []
    const { config } = load({ ...production, REDIS_URL })
    const { metadata, spec } = readYaml('statefulset.yaml')
    const service = readYaml('service.yaml').metadata.name
    const { endpoints = [], mode } = config.store as {
      endpoints?: readonly { host: string; port: number }[]
      mode?: string
    }
    expect(mode).toBe(topology)
    const ports = readYaml('service.yaml').spec.ports.map(({ port }: { port: number }) => port)
    for (const [index, { host, port }] of endpoints.entries()) {
      expect(host).toBe(`${metadata.name}-${index}.${service}`)
      expect(ports).toContain(port)
    }
    expect(endpoints.length).toBeLessThanOrEqual(spec.replicas)
    expect(spec.serviceName).toBe(service)
  })

  it('runs containers with the least privileges', () => {
    const { spec } = readYaml('statefulset.yaml').spec.template
    expect(spec.securityContext.runAsNonRoot).toBe(true)
    for (const { securityContext } of spec.containers) {
      expect(securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
      })
    }
  })
})

describeRedis('plain', 'a real Redis', () => {
  const texts = TOPOLOGIES.flatMap((topology) => [
    [`compose, ${topology}`, read(`deploy/compose.${topology}.yaml`).configs?.redis?.content ?? ''],
    [`Kubernetes, ${topology}`, readFileSync(join(folderOf(topology), 'redis.conf'), 'utf8')],
  ]) as [string, string][]

  it.each(texts)('accepts the configuration: %s', async (_name, text) => {
    const client = await start(text, [])
    expect(await client.configGet('maxmemory-policy')).toEqual({ 'maxmemory-policy': 'noeviction' })
    expect(await client.configGet('appendonly')).toEqual({ appendonly: 'yes' })
  })

  it.each([
    ['compose', read('deploy/compose.sentinel.yaml').configs?.sentinel?.content ?? ''],
    ['Kubernetes', readFileSync(join(folderOf('sentinel'), 'sentinel.conf'), 'utf8')],
  ])('accepts the configuration of Sentinel: %s', async (_name, text) => {
    const local = text.replace(/(monitor mcp) \S+/, '$1 127.0.0.1')
    const client = await start(local, ['--sentinel'])
    const master = (await client.sendCommand(['SENTINEL', 'MASTER', 'mcp'])) as unknown
    expect(JSON.stringify(master)).toContain('"down-after-milliseconds"')
  })
})

/** Starts a server with this configuration file, and connects to it. */
async function start(text: string, args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'redis-conf-'))
  const port = await freePort()
  const file = join(folder, 'redis.conf')
  const own = text.replace(/^port .*\n/m, '').replace(/^dir .*$/m, `dir ${folder}`)
  const bus = own.includes('cluster-enabled') ? `cluster-port ${await freePort()}\n` : ''
  writeFileSync(file, `port ${port}\nbind 127.0.0.1\n${bus}${own}`)
  const server = await launch(['redis-server', file, ...args])
  const password = /^requirepass (.*)$/m.exec(own)?.[1]
  const client = createClient({ socket: { port }, ...(password && { password }) })
  client.on('error', () => undefined)
  onTestFinished(async () => {
    client.destroy()
    await server.kill()
    rmSync(folder, { recursive: true, force: true })
  })
  await client.connect()
  return client
}

function folderOf(topology: (typeof TOPOLOGIES)[number]): string {
  return join(ROOT, `deploy/kubernetes-${topology}`)
}

function manifestsOf(topology: (typeof TOPOLOGIES)[number]): string[] {
  const names = readdirSync(folderOf(topology)).filter((name) => name.endsWith('.yaml'))
  return names.filter((name) => name !== 'kustomization.yaml')
}
