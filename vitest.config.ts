/** How tests run. `COVERAGE=1` measures coverage and holds it to its threshold. */

import { defineConfig } from 'vitest/config'

const inCi = process.env.CI === 'true'

/** The framework runs from its sources; a project's own configuration needs nothing of this. */
const conditions = ['@mcp-template/source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    environment: 'node',
    // Most of the time is spent waiting for processes and for what expires.
    maxWorkers: 2,
    include: ['packages/*/test/**/*.test.ts', 'starter/src/**/*.test.ts'],
    // Only for what hangs: a busy machine takes many times as long as an idle one.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What is polled for comes from other processes, which a busy machine makes wait.
    expect: { poll: { timeout: 30_000 } },
    reporters: inCi ? ['default', 'json'] : ['default'],
    outputFile: { json: 'artifacts/test-results.json' },
    coverage: {
      enabled: process.env.COVERAGE === '1',
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: { lines: 90 },
    },
  },
})
