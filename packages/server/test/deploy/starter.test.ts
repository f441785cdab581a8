/** The starter's files for Docker: the same as the repository's own, which other tests run. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import dockerignore from '@balena/dockerignore'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { checksMissing, HADOLINT } from '../support/deploy-tools.ts'
import { ROOT } from '../support/project-copy.ts'
import { describeUnless } from '../support/suite-that-needs.ts'

const textOf = (file: string) => readFileSync(join(ROOT, file), 'utf8')

/** Without comments, which name other files. */
const settingsOf = (file: string) => textOf(file).replaceAll(/^ *#.*\n/gm, '')

describe('the starter', () => {
  it('has the compose file of the repository, except the names', () => {
    const { name: _name, ...expected } = parse(textOf('compose.yaml'))
    delete expected.services.server.image
    expect(parse(textOf('starter/compose.yaml'))).toEqual(expected)
  })

  it('has the balancer of the repository', () => {
    expect(settingsOf('starter/deploy/nginx.conf')).toBe(settingsOf('deploy/nginx.conf'))
  })

  it('has an image with the environment of the repository’s', () => {
    const facts =
      /^(?:ENV [\s\S]*?[^\\]\n|(?:USER|EXPOSE|STOPSIGNAL) .*\n|HEALTHCHECK [\s\S]*?[^\\]\n)/gm
    expect(textOf('starter/Dockerfile').match(facts)).toHaveLength(5)
    expect(textOf('starter/Dockerfile').match(facts)).toEqual(textOf('Dockerfile').match(facts))
  })

  it('builds its image from sources only: no secrets, no tests', () => {
    const filter = dockerignore.default().add(textOf('starter/.dockerignore'))
    const wanted = ['package.json', 'package-lock.json', 'src/server.ts', 'src/tools/a/b.ts']
    const others = ['.env', 'node_modules/zod/index.js', 'src/tools/service.test.ts', '.git/config']
    expect(filter.filter([...wanted, ...others])).toEqual(wanted)
  })

  it('has about twenty files, with fewer than 700 lines', () => {
    const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
    const { stdout } = spawnSync('git', list, { cwd: join(ROOT, 'starter'), encoding: 'utf8' })
    const files = stdout.split('\0').filter((file) => file !== '')
    const lines = files.reduce((sum, file) => sum + textOf(`starter/${file}`).split('\n').length, 0)
    expect(files.length).toBeLessThanOrEqual(22)
    expect(lines).toBeLessThan(700)
  })
})

describeUnless(checksMissing, 'REQUIRE_DEPLOY', "the starter's Dockerfile", () => {
  it('has no findings of hadolint', () => {
    const { status, stdout } = spawnSync(HADOLINT, ['--no-color', 'starter/Dockerfile'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect([stdout, status]).toEqual(['', 0])
  })
})
