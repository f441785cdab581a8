/** The layers of `src/` are lint errors, not a convention: forbidden imports fail, legal ones pass. */

import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../../..')
/** The folder of the probes' paths. */
const PACKAGE = 'packages/server'

type Probe = [file: string, code: string]

const forbidden: Probe[] = [
  ['src/start.ts', "import { x } from './cli/start.ts'"],
  ['src/start.ts', "import { x } from './testing/index.ts'"],
  ['src/cli/a.ts', "import { x } from '../runtime/b.ts'"],
  ['src/cli/b.ts', "import { x } from '../http/b.ts'"],
  ['src/openapi/a.ts', "import { x } from '../errors.ts'"],
  ['src/openapi/b.ts', "import { x } from '../cli/command-line.ts'"],
  ['src/engine/e.ts', "import { x } from '../openapi/document.ts'"],
  ['src/testing/c.ts', "import { x } from '../openapi/document.ts'"],
  ['src/project.ts', "import { x } from './start.ts'"],
  ['src/project.ts', "import { x } from './http/b.ts'"],
  ['src/server-file.ts', "import { x } from './config.ts'"],
  ['src/define-server.ts', "import { x } from './config.ts'"],
  ['src/index.ts', "export { x } from './start.ts'"],
  ['src/testing/a.ts', "import { x } from '../http/b.ts'"],
  ['src/process/a.ts', "import { x } from '../start.ts'"],
  ['src/process/b.ts', "import { x } from '../store/port.ts'"],
  ['src/engine/d.ts', "import { x } from '../project.ts'"],
  ['src/session/d.ts', "import { x } from '../testing/index.ts'"],
  ['src/app.ts', "import { x } from './start.ts'"],
  ['src/serve-stdio.ts', "import { x } from './start.ts'"],
  ['src/serve-http.ts', "import { x } from './serve-stdio.ts'"],
  ['src/runtime.ts', "import { x } from './app.ts'"],
  ['src/runtime/a.ts', "import { x } from '../runtime.ts'"],
  ['src/http/e.ts', "import { x } from '../runtime/b.ts'"],
  ['src/http/a.ts', "import { x } from '../app.ts'"],
  ['src/http/d.ts', "import { x } from '../runtime.ts'"],
  ['src/call/a.ts', "import { x } from '../runtime.ts'"],
  ['src/call/b.ts', "import { x } from '../calls.ts'"],
  ['src/http/f.ts', "import { x } from '../call/b.ts'"],
  ['src/http/g.ts', "import { x } from '../workers/b.ts'"],
  ['src/workers/a.ts', "import { x } from '../store/port.ts'"],
  ['src/workers/b.ts', "import { x } from '../serve-http.ts'"],
  ['src/mcp/e.ts', "import { x } from '../call/b.ts'"],
  ['src/auth/a.ts', "import { x } from '../http/b.ts'"],
  ['src/auth/deep/a.ts', "import { x } from '../../http/deep/b.ts'"],
  ['src/session/a.ts', "import { x } from '../auth/b.ts'"],
  ['src/mcp/a.ts', "import { x } from '../session/b.ts'"],
  ['src/well-formed.ts', "import { x } from './errors.ts'"],
  ['src/deadlines.ts', "import { x } from './errors.ts'"],
  ['src/engine/a.ts', "import { x } from '../mcp/b.ts'"],
  ['src/engine/b.ts', "import { x } from '../tools/service.ts'"],
  ['src/upstream/a.ts', "import { x } from '../engine/index.ts'"],
  ['src/upstream/b.ts', "export { x } from '../session/b.ts'"],
  ['src/upstream/c.ts', "export * from '../session/b.ts'"],
  ['src/upstream/d.ts', "export const x = await import('../session/b.ts')"],
  ['src/upstream/e.ts', "import type { X } from '../session/b.ts'"],
  ['src/upstream/g.ts', "import { x } from './../session/b.ts'"],
  ['src/output/a.ts', "import { x } from '../upstream/b.ts'"],
  ['src/oidc/a.ts', "import { x } from '../output/b.ts'"],
  ['src/store/a.ts', "import { x } from '../session/b.ts'"],
  ['src/store/b.ts', "import { x } from '../oidc/b.ts'"],
  ['src/store/redis/a.ts', "import { x } from '../../output/b.ts'"],
  ['src/telemetry/a.ts', "import { x } from '../store/port.ts'"],
  ['src/logger/b.ts', "import { x } from '../telemetry/metrics.ts'"],
  ['src/config/c.ts', "import { x } from '../telemetry/metrics.ts'"],
  ['src/crypto/a.ts', "import { x } from '../config.ts'"],
  ['src/crypto/b.ts', "import { x } from '../store/port.ts'"],
  ['src/config.ts', "import { x } from './logger.ts'"],
  ['src/config/a.ts', "import { x } from '../store/port.ts'"],
  ['src/logger.ts', "import { x } from './session/b.ts'"],
  ['src/errors.ts', "import { x } from './crypto/hash.ts'"],
  ['src/demo/a.ts', "import { x } from '../upstream/b.ts'"],
  ['src/demo/b.ts', "import { x } from '../session/b.ts'"],
  ['src/http/c.ts', "import { x } from '../demo/b.ts'"],
  ['src/auth/c.ts', "import { x } from '../demo/b.ts'"],
  ['src/tools/a.ts', "import { x } from '../engine/run.ts'"],
  ['src/tools/b.ts', "import { x } from '../store/port.ts'"],
  ['src/tools/c.ts', "import { x } from '../errors.ts'"],
  ['src/resources/a.ts', "import { x } from '../session/b.ts'"],
  ['src/prompts/a.ts', "import { x } from '../config.ts'"],
]

const legal: Probe[] = [
  ['src/cli/c.ts', "import { x } from '../start.ts'"],
  ['src/cli/dev/a.ts', "import { x } from '../command-line.ts'"],
  ['src/cli/e.ts', "import { x } from '../openapi/document.ts'"],
  ['src/openapi/c.ts', "import { x } from './document.ts'"],
  ['src/cli/d.ts', "import { x } from '../process/stdio-launcher.ts'"],
  ['src/project.ts', "import { x } from './tools/login.ts'"],
  ['src/testing/b.ts', "import { x } from '../session/b.ts'"],
  ['src/start.ts', "import { x } from './app.ts'"],
  ['src/process/c.ts', "import { x } from '../logger.ts'"],
  ['src/serve-http.ts', "import { x } from './process/shutdown.ts'"],
  ['src/serve-http.ts', "import { x } from './app.ts'"],
  ['src/app.ts', "import { x } from './runtime.ts'"],
  ['src/runtime.ts', "import { x } from './demo/b.ts'"],
  ['src/serve-stdio.ts', "import { x } from './runtime/b.ts'"],
  ['src/runtime/b.ts', "import { x } from '../demo/b.ts'"],
  ['src/http/b.ts', "import { x } from '../auth/b.ts'"],
  ['src/auth/b.ts', "import { x } from '../session/b.ts'"],
  ['src/session/b.ts', "import { x } from '../store/port.ts'"],
  ['src/session/c.ts', "import { x } from './deep/b.ts'"],
  ['src/session/deep/c.ts', "import { x } from '../b.ts'"],
  ['src/mcp/b.ts', "import { x } from '../engine/index.ts'"],
  ['src/mcp/c.ts', "import { x } from '@modelcontextprotocol/sdk/server/auth/router.js'"],
  ['src/engine/c.ts', "import { x } from '../output/mask.ts'"],
  ['src/upstream/f.ts', "import { x } from '../crypto/hash.ts'"],
  ['src/output/b.ts', "import { x } from '../errors.ts'"],
  ['src/store/redis/b.ts', "import { x } from '../../config.ts'"],
  ['src/store/c.ts', "import { x } from '../telemetry/metrics.ts'"],
  ['src/telemetry/b.ts', "import { x } from '../config.ts'"],
  ['src/store/redis/c.ts', "import { x } from '../port.ts'"],
  ['src/config/b.ts', "import { x } from '../crypto/config-secret.ts'"],
  ['src/crypto/c.ts', "import { x } from 'node:crypto'"],
  ['src/demo/c.ts', "import { x } from '../store/port.ts'"],
  ['src/demo/d.ts', "import { x } from '../oidc/b.ts'"],
  ['src/oidc/b.ts', "import { x } from '../store/port.ts'"],
  ['src/tools/d.ts', "import { x } from '../engine/index.ts'"],
  ['src/tools/e.ts', "import { x } from 'zod'"],
  ['src/resources/b.ts', "import { x } from '../engine/index.ts'"],
]

interface Report {
  readonly diagnostics: readonly {
    readonly category: string
    readonly location: { path: unknown }
  }[]
}

/** Lints the probes in one run, in a folder with the configuration only. */
function violating(probes: readonly Probe[]): ReadonlySet<string> {
  const copy = mkdtempSync(join(tmpdir(), 'layering-'))
  for (const name of ['biome.json', 'biome.layers.json', '.gitignore', 'package.json']) {
    copyFileSync(join(root, name), join(copy, name))
  }
  for (const [file, code] of probes) {
    const path = join(copy, PACKAGE, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${code}\n`)
  }
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
  const args = [biome, 'lint', '--only=style/noRestrictedImports', '--max-diagnostics=none']
  const run = spawnSync(process.execPath, [...args, '--reporter=json', '.'], {
    cwd: copy,
    encoding: 'utf8',
  })
  rmSync(copy, { recursive: true })
  const report: Report = JSON.parse(run.stdout.slice(run.stdout.indexOf('{')))
  return new Set(
    report.diagnostics
      .filter(({ category }) => category === 'lint/style/noRestrictedImports')
      .map(({ location }) => String(location.path).replace(/^(?:\.\/)?packages\/server\//, '')),
  )
}

describe('the linter permits downward imports only', () => {
  const refused = violating(forbidden)
  const wronglyRefused = violating(legal)

  it.each(forbidden)('refuses in %s: %s', (file) => {
    expect(refused).toContain(file)
  })

  it.each(legal)('accepts in %s: %s', (file) => {
    expect(wronglyRefused).not.toContain(file)
  })

  it('has a layer for every folder and file of src', () => {
    const configuration = readFileSync(join(root, 'biome.layers.json'), 'utf8')
    const entries = readdirSync(join(root, PACKAGE, 'src'), { withFileTypes: true })
    const unknown = entries
      .map((entry) => (entry.isDirectory() ? `src/${entry.name}/**` : `src/${entry.name}`))
      .filter((entry) => !configuration.includes(`"${PACKAGE}/${entry}"`))
    expect(unknown).toEqual([])
  })
})
