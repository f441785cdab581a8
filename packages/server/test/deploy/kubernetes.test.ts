/** The Kubernetes manifests: valid, consistent, and complete for production. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { variables } from '../../src/config/variables.ts'
import { load, production } from '../config/load.ts'
import { ROOT } from '../docs/markdown.ts'
import { checksMissing, KUBERNETES_VALIDATE } from '../support/deploy-tools.ts'
import { describeUnless } from '../support/suite-that-needs.ts'

const FOLDER = join(ROOT, 'deploy/kubernetes')
const EXAMPLE = 'secret.example.yaml'
const files = readdirSync(FOLDER).filter((name) => name !== 'kustomization.yaml')
const read = (name: string) => parse(readFileSync(join(FOLDER, name), 'utf8'))

/** Drain time: how long calls may take after SIGTERM. */
const DRAIN_SECONDS = 25

const kustomization = read('kustomization.yaml')
const [{ name: configName, literals }] = kustomization.configMapGenerator as [
  { name: string; literals: string[] },
]
const settings = Object.fromEntries(
  literals.map((each) => each.split(/=(.*)/s).slice(0, 2)),
) as Record<string, string>

describeUnless(checksMissing, 'REQUIRE_DEPLOY', 'manifests', () => {
  const validate = (paths: readonly string[]) =>
    spawnSync(KUBERNETES_VALIDATE, ['--strict', ...paths], { encoding: 'utf8' })

  it('match the schemas of Kubernetes, without unknown fields', () => {
    const { status, stdout, stderr } = validate(files.map((name) => join(FOLDER, name)))
    expect(status, stdout + stderr).toBe(0)
    expect((stdout + stderr).match(/ passed for resource /g)).toHaveLength(files.length)
  })

  it('would be refused for a misspelt name', () => {
    const folder = mkdtempSync(join(tmpdir(), 'manifest-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const text = readFileSync(join(FOLDER, 'deployment.yaml'), 'utf8')
    const file = join(folder, 'deployment.yaml')
    writeFileSync(file, text.replace('readOnlyRootFilesystem', 'readOnlyRootFileSystem'))
    expect(validate([file]).status).not.toBe(0)
  })
})

describe('the kustomization', () => {
  it('has all of them, except the example of secrets', () => {
    expect([...kustomization.resources, EXAMPLE].sort()).toEqual([...files].sort())
  })

  it('and the secrets are complete for production', () => {
    const secret = read(EXAMPLE).stringData as Record<string, string>
    const given = { ...settings, ...secret }
    expect(Object.keys(given).filter((name) => !(name in variables.shape))).toEqual([])
    const { ENCRYPTION_KEY, JWT_SECRET } = production
    const keys = { ENCRYPTION_KEY, JWT_SECRET, ENCRYPTION_IV: '' }
    const { config } = load({ NODE_ENV: 'production', ...given, ...keys })
    expect(config.store).toMatchObject({ kind: 'redis', tls: true })
    expect(config.auth.required).toBe(true)
  })
})

describe('the deployment', () => {
  const { spec } = read('deployment.yaml')
  const pod = spec.template.spec
  const [server] = pod.containers
  const ingress = read('ingress.yaml').spec
  const labels = spec.template.metadata.labels

  it('is referenced by all other manifests', () => {
    const name = read('deployment.yaml').metadata.name
    expect(read('autoscaler.yaml').spec.scaleTargetRef).toMatchObject({ kind: 'Deployment', name })
    const selectors = [
      spec.selector.matchLabels,
      read('service.yaml').spec.selector,
      read('disruption-budget.yaml').spec.selector.matchLabels,
      read('network-policy.yaml').spec.podSelector.matchLabels,
      ...pod.topologySpreadConstraints.map(
        (each: { labelSelector: { matchLabels: object } }) => each.labelSelector.matchLabels,
      ),
    ]
    for (const selector of selectors) expect(labels).toMatchObject(selector)
    expect(server.image).toBe(kustomization.images[0].name)
    expect(server.envFrom).toEqual([
      { configMapRef: { name: configName } },
      { secretRef: { name: read(EXAMPLE).metadata.name } },
    ])
  })

  it('is reached by its ports, from the outside only by the one for clients', () => {
    const [{ port, name, targetPort }] = read('service.yaml').spec.ports
    expect([port, name, targetPort]).toEqual([80, 'http', 'http'])
    expect(server.ports).toContainEqual({ name: 'http', containerPort: 6901 })
    const metrics = Number(settings.METRICS_PORT)
    expect(server.ports).toContainEqual({ name: 'metrics', containerPort: metrics })
    const { annotations } = spec.template.metadata
    expect(annotations['prometheus.io/port']).toBe(settings.METRICS_PORT)
    expect(read('service.yaml').spec.ports).toHaveLength(1)
    const [{ http, host }] = ingress.rules
    expect(http.paths[0].backend.service.port.name).toBe('http')
    expect(`https://${host}`).toBe(settings.PUBLIC_URL)
    expect(ingress.tls[0].hosts).toEqual([host])
  })

  it('probes readiness often, liveness without Redis, and waits long at the start', () => {
    expect(server.readinessProbe.httpGet.path).toBe('/readyz')
    expect(server.livenessProbe.httpGet.path).toBe('/livez')
    expect(server.startupProbe.httpGet.path).toBe('/livez')
    const noticed = server.readinessProbe.periodSeconds * server.readinessProbe.failureThreshold
    expect(Number(settings.STOP_DELAY)).toBeGreaterThan(noticed)
  })

  it('waits longer for a node that stops than it takes to finish calls, and starts another first', () => {
    const longest = Number(settings.STOP_DELAY) + DRAIN_SECONDS
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(longest)
    expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 })
  })

  it('has the least privileges', () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    })
    expect(server.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(server.resources.limits.memory).toBe('768Mi')
  })

  it('is behind an ingress without buffering and with long idle time-outs', () => {
    const { annotations } = read('ingress.yaml').metadata
    const prefix = 'nginx.ingress.kubernetes.io'
    expect(annotations).toMatchObject({
      [`${prefix}/proxy-buffering`]: 'off',
      [`${prefix}/proxy-read-timeout`]: '3600',
    })
  })
})
