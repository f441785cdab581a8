/**
 * How tests run: `fast` is what `npm test` runs, `slow` has what starts clusters, clients, browsers
 * and processes, or attacks for minutes. `--coverage` measures coverage, with a threshold for `fast`.
 */

import { defineConfig } from 'vitest/config'
import { LongestFirst } from './packages/server/test/support/longest-first.ts'

const inCi = process.env.CI === 'true'

/** Single files, in folders that are fast, which take more than some 20 seconds. */
const SLOW_FILES = [
  'docs/readme',
  'docs/scaling',
  'mcp/cross-talk',
  'store/stream-faults',
  'store/redis-faults',
  'store/password-file',
  'store/failover',
  'store/least-permissions',
  'store/redis-health',
  'store/redis-topologies',
  'telemetry/loading',
  'testing/exports',
  'tooling/create',
].map((file) => `packages/server/test/${file}.test.ts`)

/** The framework runs from its sources; a project's own configuration needs nothing of this. */
const conditions = ['@mcp-template/source']

const slow = [
  'attacks',
  'browser',
  'cli',
  'clients',
  'cluster',
  'deploy',
  'process',
  'scripts',
  'stdio',
]
  .map((folder) => `packages/*/test/${folder}/**/*.test.ts`)
  .concat('packages/doctor/test/**/*.test.ts', SLOW_FILES)

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    environment: 'node',
    globalSetup: 'packages/server/test/support/build-fixture.ts',
    setupFiles: 'packages/server/test/support/clean-up.ts',
    // The modules are loaded once for each worker, not for each file: half of the time.
    isolate: false,
    // More than a small machine has cores: tests mostly wait, for processes and for what expires.
    maxWorkers: 4,
    // Clients in other languages that wait for the same token to expire.
    maxConcurrency: 18,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: [
            'packages/*/test/**/*.test.ts',
            'starter/src/**/*.test.ts',
            'examples/*/{src,test}/**/*.test.ts',
          ],
          exclude: slow,
        },
      },
      { extends: true, test: { name: 'slow', include: slow } },
    ],
    // Only for what hangs: a busy machine takes many times as long as an idle one.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    // What is polled for comes from other processes, which a busy machine makes wait.
    expect: { poll: { timeout: 30_000 } },
    reporters: inCi ? ['default', 'json'] : ['default'],
    outputFile: { json: 'artifacts/test-results.json' },
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      // Tests start these as processes of their own, where nothing is measured.
      exclude: [
        'packages/server/src/cli/**',
        'packages/server/src/process/**',
        'packages/server/src/{start,serve-stdio}.ts',
      ],
      reporter: ['text-summary', 'json-summary', ...(inCi ? [] : ['html'])],
      thresholds: { lines: 90 },
    },
  },
})
