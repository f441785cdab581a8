// Builds what is published: the code, the declarations that projects can import, and the documents.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const here = import.meta.dirname
const dist = join(here, 'dist')
const documents = join(here, '../../docs')

for (const folder of ['dist', 'docs']) rmSync(join(here, folder), { recursive: true, force: true })
for (const name of readdirSync(documents).filter((name) => name.endsWith('.md'))) {
  cpSync(join(documents, name), join(here, 'docs', name))
}
const tsc = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin/tsc',
)
execFileSync(process.execPath, [tsc, '-b', here], { stdio: 'inherit' })
// Declarations keep their comments, which editors show; those of the code are in the repository.
const plain = ['--removeComments', '--declaration', 'false', '--composite', 'false']
execFileSync(process.execPath, [tsc, '-p', here, ...plain], { stdio: 'inherit' })

// Three quarters of the declarations are of files that no project can import.
const reachable = new Set()
for (const entry of ['index', 'testing/index', 'store/index']) reach(join(dist, `${entry}.d.ts`))
for (const name of readdirSync(dist, { recursive: true })) {
  const file = join(dist, name)
  if (name.endsWith('.d.ts') && !reachable.has(file)) rmSync(file)
}
// The next build must not believe that all declarations are there.
rmSync(join(dist, '.tsbuildinfo'))

/** Follows imports, which name sources: `./x.ts` is declared in `x.d.ts`. */
function reach(file) {
  if (reachable.has(file)) return
  if (!existsSync(file)) throw new Error(`There is no ${file}`)
  reachable.add(file)
  const imports = readFileSync(file, 'utf8').matchAll(
    /(?:from |import\(|import )['"](\.[^'"]+)['"]/g,
  )
  for (const [, path] of imports) {
    reach(join(dirname(file), path.replace(/(?:\.d)?\.[jt]s$/, '.d.ts')))
  }
}
