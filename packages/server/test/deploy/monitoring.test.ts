/** The dashboard and the alerts use only metrics and labels of a real scrape. */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ROOT, readDocuments, sectionOf } from '../docs/markdown.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { failingStore } from '../support/failing-store.ts'
import { type Scrape, scrape } from '../support/scrape.ts'
import { callWith, login } from '../support/sign-in.ts'
import { postModern } from '../support/wire.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly annotations: { readonly summary?: string; readonly action?: string }
}

interface Panel {
  readonly title: string
  readonly datasource?: { readonly uid: string }
  readonly targets?: readonly { readonly expr: string }[]
}

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const alerts = parse(read('deploy/alerts.yaml')) as { groups: { rules: Rule[] }[] }
const rules = alerts.groups.flatMap((group) => group.rules)
const dashboard = JSON.parse(read('deploy/grafana-dashboard.json')) as {
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string }[]
  }
}
const panels = dashboard.panels.filter(({ targets }) => targets !== undefined)
const monitoring = readDocuments().find(({ file }) => file === 'docs/monitoring.md')
const documented = monitoring ?? expect.fail('no docs/monitoring.md')

let app: TestApp
let seen: Scrape
beforeAll(async () => {
  const store = failingStore()
  app = await startApp({ store })
  await callWith(app.url, (await login(app.url)).session, 'session')
  const read = { uri: 'bank://branches/london' }
  await postModern(app.url, 'resources/read', read)
  await postModern(app.url, 'prompts/get', { name: 'account-summary', arguments: {} })
  store.disconnect()
  await fetch(`${app.url}/readyz`)
  store.reconnect()
  seen = await scrape(app.url)
})
afterAll(() => app.stop())

/** The metrics of an expression, each with the labels in its braces. */
function metricsIn(expression: string) {
  const found = expression.matchAll(/\b((?:mcp|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)
  return [...found].map(([, name = '', braces = '']) => ({
    name,
    labels: [...braces.matchAll(/(\w+)(?==|!)/g)].map(([label]) => label),
  }))
}

/** Labels that Prometheus adds to scraped metrics. */
const TARGET_LABELS = new Set(['job', 'instance'])

function expectToExist(expression: string): void {
  const metrics = metricsIn(expression)
  expect(metrics.length, expression).toBeGreaterThan(0)
  const [, grouped = ''] = /\bby \(([^)]*)\)/.exec(expression) ?? []
  for (const { name, labels } of metrics) {
    const samples = seen.samples.filter((sample) => sample.name === name)
    expect(samples.length, `${name} is not in the scrape`).toBeGreaterThan(0)
    for (const label of [...labels, ...grouped.split(/, */)]) {
      if (TARGET_LABELS.has(label) || label === '') continue
      expect(Object.keys(samples[0]?.labels ?? {}), `${label} of ${name}`).toContain(label)
    }
  }
}

describe('the dashboard', () => {
  test('chooses its data source by a variable', () => {
    expect(dashboard.templating.list).toContainEqual(
      expect.objectContaining({ name: 'datasource', type: 'datasource' }),
    )
    for (const { title, datasource } of panels) {
      expect(datasource?.uid, title).toMatch(/^\$\{datasource\}$/)
    }
  })

  const queries = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => [title, expr] as const),
  )
  test.each(queries)('shows existing metrics: %s', (_title, expr) => {
    expectToExist(expr)
  })
})

describe('the alerts', () => {
  test('are five, each with instructions, in the file and in the documents', () => {
    expect(rules).toHaveLength(5)
    const section = sectionOf(documented, 'Alerts')
    for (const { alert, annotations } of rules) {
      expect(annotations.summary, alert).toMatch(/\.$/)
      expect(annotations.action?.length, alert).toBeGreaterThan(100)
      expect(section).toContain(`\`${alert}\``)
    }
  })

  test.each(rules)('use existing metrics: $alert', ({ expr }) => {
    expectToExist(expr)
  })

  const local = join(ROOT, '.cache/promtool/promtool')
  const program = existsSync(local) ? local : 'promtool'
  const isThere = spawnSync(program, ['--version']).status === 0
  const isRequired = process.env.REQUIRE_PROMTOOL === '1'
  const why = isThere || isRequired ? '' : ' (skipped: run .ci/promtool.sh)'
  test.skipIf(why !== '')(
    `are valid rules for Prometheus, and fire for their condition${why}`,
    () => {
      const promtool = (...args: string[]) => {
        const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8' })
        return status === 0 ? 'fine' : `${stdout}${stderr}`
      }
      expect(promtool('check', 'rules', 'deploy/alerts.yaml')).toBe('fine')
      expect(
        promtool('test', 'rules', 'packages/server/test/fixtures/alerts/alerts-test.yaml'),
      ).toBe('fine')
    },
  )
})

/** Absent with the memory store, on which these tests run. */
const OF_REDIS = ['mcp_redis_shards', 'mcp_redis_shards_ready']

describe('docs/monitoring.md', () => {
  const rows = sectionOf(documented, 'Metrics')
    .split('\n')
    .filter((line) => line.startsWith('| `mcp_'))
    .map((line) => line.split('|').map((cell) => cell.trim()))

  test('has a row for each metric, with its kind, labels and help text', () => {
    const help = [...seen.text.matchAll(/^# HELP (mcp_\w+) (.*)$/gm)]
    const types = new Map(
      [...seen.text.matchAll(/^# TYPE (mcp_\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]),
    )
    const expected = help.map(([, name = '', text]) => {
      const sample = seen.samples.find(
        (each) => each.name.replace(/_(?:bucket|sum|count)$/, '') === name,
      )
      const labels = Object.keys(sample?.labels ?? {}).filter((label) => label !== 'le')
      // A label of the later metrics only.
      if (text?.includes('by upstream')) labels.push('upstream')
      const cell = labels.map((label) => `\`${label}\``).join(', ')
      return `\`${name}\`|${types.get(name)}|${cell}|${text}`
    })
    const here = rows.filter(([, name = '']) => !OF_REDIS.includes(name.slice(1, -1)))
    expect(here.map((cells) => cells.slice(1, 5).join('|')).sort()).toEqual(expected.sort())
  })
})
