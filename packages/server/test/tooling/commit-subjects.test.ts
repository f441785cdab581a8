/** The check of commit subjects: refuses a wrong one in a range, and ignores merges. */

import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const script = join(import.meta.dirname, '../../../../.ci/commits.sh')
let repository: string

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
    cwd: repository,
  })

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'commits-'))
  mkdirSync(join(repository, '.ci'))
  copyFileSync(script, join(repository, '.ci/commits.sh'))
  git('init', '--quiet', '--initial-branch=main')
  commit('start: an empty repository')
})
afterEach(() => rmSync(repository, { recursive: true }))

function commit(subject: string): void {
  git('commit', '--quiet', '--allow-empty', '-m', subject)
}

function check(...range: string[]) {
  const { status, stderr } = spawnSync('sh', [join(repository, '.ci/commits.sh'), ...range], {
    encoding: 'utf8',
  })
  return { status, stderr }
}

describe('the check of commit subjects', () => {
  it.each(['auth: accept private_key_jwt', 'call, http: one guard', 'docs: say what `x` does'])(
    'accepts %s',
    (subject) => {
      commit(subject)
      expect(check('HEAD~1..HEAD')).toEqual({ status: 0, stderr: '' })
    },
  )

  it.each(['Fix things', 'auth:no space', `auth: ${'x'.repeat(70)}`, 'WIP'])(
    'refuses %s',
    (subject) => {
      commit(subject)
      commit('auth: a good one after it')
      const { status, stderr } = check('HEAD~2..HEAD')
      expect(status).toBe(1)
      expect(stderr).toContain(subject)
      expect(stderr).not.toContain('a good one')
    },
  )

  it('checks the last commit without a range', () => {
    expect(check().status).toBe(0)
    commit('Fix things')
    expect(check().status).toBe(1)
  })

  it('ignores merges', () => {
    git('checkout', '--quiet', '-b', 'branch')
    commit('auth: on the branch')
    git('checkout', '--quiet', 'main')
    commit('auth: on main')
    git('merge', '--quiet', '--no-ff', '-m', "Merge branch 'branch'", 'branch')
    expect(check('HEAD~2..HEAD').status).toBe(0)
  })
})
