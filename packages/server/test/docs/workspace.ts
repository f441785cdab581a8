/** A folder inside the repository where code from documents is compiled and loaded. */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type CodeBlock, fileOf, ROOT, readDocuments } from './markdown.ts'

/** `artifacts/` is neither in git nor linted nor compiled otherwise. */
const PARENT = join(ROOT, 'artifacts')

export interface Workspace {
  readonly directory: string
  /**
   * Writes a block to the path in its first line (`// src/tools/balance.ts`), with the real engine
   * beside it. Returns the folder that stands for `src/`.
   */
  place(block: CodeBlock): string
  /** Compiles all written files; returns the compiler's output, empty if there are no errors. */
  compile(): string
  remove(): void
}

export function createWorkspace(): Workspace {
  mkdirSync(PARENT, { recursive: true })
  const directory = mkdtempSync(join(PARENT, 'docs-'))
  let count = 0
  return {
    directory,
    place(block) {
      count += 1
      const source = join(directory, `block-${count}`)
      const file = fileOf(block)?.replace(/^src\//, '') ?? `tools/block-${count}.ts`
      // The project files that it imports, from the same document.
      const project = projectOf(block)
      for (const other of project) write(join(source, other.path), other.code)
      if (project.length === 0) {
        cpSync(join(ROOT, 'packages/server/src/tools'), join(source, 'tools'), { recursive: true })
      }
      write(join(source, file), block.code)
      write(
        join(source, 'engine/index.ts'),
        "export * from '../../../../packages/server/src/engine/index.ts'\n",
      )
      return source
    },
    compile() {
      const config = { extends: '../../tsconfig.json', include: ['.'] }
      write(join(directory, 'tsconfig.json'), JSON.stringify(config))
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
      const run = spawnSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' })
      return run.stdout + run.stderr
    },
    remove: () => rmSync(directory, { recursive: true }),
  }
}

const documents = readDocuments()

/** The files of the project that a document with a `src/mcp.ts` shows; none for other documents. */
function projectOf({ place }: CodeBlock): { readonly path: string; readonly code: string }[] {
  const { blocks } = documents.find(({ file }) => place.startsWith(`${file}:`)) ?? { blocks: [] }
  const files = blocks.flatMap((block) => {
    const path = fileOf(block)?.replace(/^src\//, '')
    return path === undefined ? [] : [{ path, code: block.code }]
  })
  return files.some(({ path }) => path === 'mcp.ts') ? files : []
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
