/**
 * The image without a container engine: lints the Dockerfile, runs its steps in folders, and starts
 * the result on the Node of the image, without write access.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { production } from '../config/load.ts'
import { ROOT } from '../docs/markdown.ts'
import { connectClient, ERAS, structured } from '../support/clients.ts'
import { checksMissing, HADOLINT, NODE24, stepsMissing } from '../support/deploy-tools.ts'
import { freePort } from '../support/free-port.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { redisMissing } from '../support/redis-suite.ts'
import { describeUnless } from '../support/suite-that-needs.ts'
import { build, inContext, linkPrograms } from './build-steps.ts'
import { readDockerfile } from './dockerfile.ts'

const MEBIBYTE = 1024 * 1024
/** The limit of the image is 200 MB, of which `node:24-alpine` takes about 165. */
const APPLICATION_MIB = 30
/** A user without files. Only root can switch to it; others run the image as themselves. */
const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
const user = isRoot ? 'somebody who owns nothing' : 'whoever runs this test'

const image = readDockerfile()

describeUnless(checksMissing, 'REQUIRE_DEPLOY', 'the Dockerfile', () => {
  it('has no findings of hadolint', () => {
    const { status, stdout } = spawnSync(HADOLINT, ['--no-color', 'Dockerfile'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect([stdout, status]).toEqual(['', 0])
  })
})

describe('the image', () => {
  it('has one small base image, an unprivileged user, and a stop signal', () => {
    expect(image.stages.map(({ base }) => base)).toEqual(Array(3).fill('node:24-alpine'))
    expect([image.user, image.stopSignal, image.workdir]).toEqual(['1000:1000', 'SIGTERM', '/app'])
    expect(image.command).toEqual([
      ...['node', 'packages/server/bin/mcp-template.js', 'start'],
      ...['--project', 'starter'],
    ])
    expect(image.environment).toMatchObject({ NODE_ENV: 'production', MASK_MCP_HOST: '0.0.0.0' })
    // The same as in bench/measured-process.ts.
    expect(image.environment).toMatchObject({ NODE_OPTIONS: '--max-semi-space-size=64' })
    expect(image.labels['org.opencontainers.image.licenses']).toBe('MIT')
  })

  it('is built from sources only: no secrets, no tests, no local files', () => {
    const tempting = [
      '.env',
      'staging.env',
      '.git/config',
      'node_modules/zod/index.js',
      'packages/server/dist/x.js',
      'starter/.env',
    ]
    const others = [
      ...['packages/server/test/app.test.ts', 'starter/src/tools/service.test.ts'],
      ...['packages/doctor/src/token.ts', '.cache/x', 'README.md', 'x.log'],
    ]
    expect(inContext([...tempting, ...others])).toEqual([])
    const wanted = [
      ...[
        'package.json',
        'package-lock.json',
        'tsconfig.base.json',
        'packages/server/tsconfig.json',
      ],
      ...['packages/server/src/start.ts', 'starter/src/server.ts'],
    ]
    expect(inContext(wanted)).toEqual(wanted)
  })
})

const folder = mkdtempSync(join(tmpdir(), 'image-'))
afterAll(() => {
  spawnSync('chmod', ['-R', 'u+w', folder])
  spawnSync('rm', ['-rf', folder])
}, 240_000)

describeUnless(stepsMissing ?? redisMissing('plain'), 'REQUIRE_DEPLOY', 'what is built', () => {
  let application = ''
  let programs = ''
  let redis: RedisServer
  beforeAll(async () => {
    chmodSync(folder, 0o755)
    programs = linkPrograms(join(folder, 'bin'), { node: NODE24, wget: busybox() })
    application = join(build(image, folder, programs).root, image.workdir)
    spawnSync('chmod', ['-R', 'a+rX,a-w', application])
    redis = await startRedis('plain')
  }, 300_000)
  afterAll(() => redis?.stop())

  /** Starts the image's command in its environment, with few other variables. */
  function start(env: Record<string, string>): { child: ChildProcess; said: () => string } {
    const [program = '', ...args] = image.command
    const child = spawn(program, args, {
      cwd: application,
      env: { PATH: `${programs}:/bin`, ...image.environment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(isRoot && { uid: NOBODY, gid: NOBODY }),
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
    }
    onTestFinished(() => void child.kill('SIGKILL'))
    return { child, said: () => text }
  }

  function healthCheck(env: Record<string, string>): number | null {
    const [program = '', ...args] = image.healthCheck
    const PATH = `${programs}:/bin`
    return spawnSync(program, args, { env: { PATH, ...image.environment, ...env } }).status
  }

  it('has the production dependencies and no build tools', () => {
    expect(readdirSync(application).sort()).toEqual(['node_modules', 'packages', 'starter'])
    expect(modulesIn(application)).toEqual(productionModules())
    const names = readdirSync(application, { recursive: true, encoding: 'utf8' })
    // The starter is a workspace, so that it is also linked as a package.
    const built = names.filter((name) => !/^(?:starter|node_modules\/mcp-server)\/src\//.test(name))
    expect(built.filter((name) => /\.[cm]?ts$|\.env|node_modules\/.*\.map$/.test(name))).toEqual([])
  })

  it('is small', () => {
    const names = readdirSync(application, { recursive: true, encoding: 'utf8' })
    const bytes = names.map((name) => statSync(join(application, name)).size)
    expect(bytes.reduce((sum, each) => sum + each, 0) / MEBIBYTE).toBeLessThan(APPLICATION_MIB)
  })

  it(`serves both eras in production, read-only, as ${user}, and stops with 0`, async () => {
    const port = String(await freePort())
    const url = `http://localhost:${port}`
    const env = { ...production, PUBLIC_URL: url, MASK_MCP_PORT: port, REDIS_URL: redis.url }
    expect(healthCheck({ MASK_MCP_PORT: port, PORT: '1' })).not.toBe(0)
    const { child, said } = start(env)
    const ended = new Promise((resolve) => child.once('exit', (...how) => resolve(how)))
    await expect.poll(() => healthCheck({ MASK_MCP_PORT: port }), { timeout: 60_000 }).toBe(0)
    for (const era of ERAS) {
      const { client } = await connectClient(url, era)
      const login = await client.callTool({ name: 'login', arguments: {} })
      expect(login.isError, said()).toBeFalsy()
      expect(structured<{ url: string }>(login).url).toMatch(`${url}/connect/lnk_`)
      await client.close()
    }
    child.kill(image.stopSignal as NodeJS.Signals)
    expect(await ended).toEqual([0, null])
    expect(said()).toContain('"msg":"stopped"')
  })

  it('listens on the port that a platform names (PORT), and its health check asks there', {
    timeout: 60_000,
  }, async () => {
    const port = String(await freePort())
    const url = `http://localhost:${port}`
    start({ ...production, PUBLIC_URL: url, PORT: port, REDIS_URL: redis.url })
    await expect.poll(() => healthCheck({ PORT: port }), { timeout: 30_000 }).toBe(0)
  })

  it('reports missing variables without a configuration, and exits with 1', async () => {
    const { child, said } = start({})
    const [code] = await new Promise<[number]>((resolve) =>
      child.once('close', (exitCode) => resolve([exitCode ?? -1])),
    )
    expect(code).toBe(1)
    expect(said()).toMatch(/ENCRYPTION_KEY[\s\S]*PUBLIC_URL/)
  })
})

function busybox(): string {
  return spawnSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).stdout.trim()
}

function modulesIn(directory: string): string[] {
  const { packages } = JSON.parse(
    readFileSync(join(directory, 'node_modules/.package-lock.json'), 'utf8'),
  ) as { packages: Record<string, unknown> }
  return Object.keys(packages).sort()
}

/** The production dependencies of the lock file. */
function productionModules(): string[] {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }>
  }
  const needed = Object.entries(packages).filter(
    ([, { dev, devOptional, optional }]) => !dev && !devOptional && !optional,
  )
  return needed
    .map(([path]) => path)
    .filter((path) => path !== '')
    .sort()
}
