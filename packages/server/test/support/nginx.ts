/** Debian's nginx with the configuration of `deploy/`, in front of processes on this machine. */

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll } from 'vitest'

const DEPLOY = join(import.meta.dirname, '../../../../deploy')
const PROGRAM = ['nginx', '/usr/sbin/nginx'].find(runs)

/** Why nginx is unavailable; undefined if it is available. */
export const nginxMissing = PROGRAM === undefined ? 'nginx is not in PATH' : undefined

export interface Nginx {
  readonly url: string
  /** Its output on standard error. */
  errors(): string
  stop(): Promise<void>
}

/** Starts it on a port, with round-robin over the nodes' ports. Stopped after the file at the latest. */
export async function startNginx(port: number, nodes: readonly number[]): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'))
  // Its workers run as another user if root starts it.
  chmodSync(folder, 0o755)
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(port, nodes))
  const args = ['-p', folder, '-e', 'stderr', '-c', file, '-g', 'daemon off;']
  const nginx = spawn(PROGRAM ?? 'nginx', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  nginx.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  // Not SIGKILL, which would orphan its workers.
  const end = () => void nginx.kill('SIGTERM')
  process.once('exit', end)
  const ended = once(nginx, 'exit').then(() => {
    process.off('exit', end)
    rmSync(folder, { recursive: true })
  })
  const stop = async () => {
    end()
    await ended
  }
  afterAll(stop)
  const url = `http://localhost:${port}`
  while (!(await answers(`${url}/livez`))) {
    if (nginx.exitCode !== null) throw new Error(`nginx did not start:\n${errors}`)
    await delay(20)
  }
  return { url, errors: () => errors, stop }
}

/** The configuration of `deploy/` for an nginx without Docker, with these ports. */
function configuration(port: number, nodes: readonly number[]): string {
  const files = ['-f', join(DEPLOY, 'nginx.local.sed'), join(DEPLOY, 'nginx.conf')]
  const replacements: readonly (readonly [RegExp, string])[] = [
    [
      /server 127\.0\.0\.1:6911( .*?);.*$/m,
      nodes.map((node) => `server 127.0.0.1:${node}$1;`).join(' '),
    ],
    [/listen 127\.0\.0\.1:6901;/, `listen 127.0.0.1:${port};`],
    [/access_log access\.log;/, 'access_log off;'],
  ]
  return replacements.reduce(
    (text, [pattern, replacement]) => {
      if (!pattern.test(text)) throw new Error(`deploy/ has no ${pattern}`)
      return text.replace(pattern, replacement)
    },
    execFileSync('sed', files, { encoding: 'utf8' }),
  )
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}

function runs(program: string): boolean {
  return spawnSync(program, ['-v'], { stdio: 'ignore' }).status === 0
}
