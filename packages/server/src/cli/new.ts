/** `npm run new:tool NAME`: writes a tool and its test, both of which pass as they are. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { testTemplate, toolTemplate } from './new-tool/templates.ts'

/** Legal both as a tool's name (SEP-986) and, on every system, as a file's. */
const NAME = /^[a-z][a-z0-9]*([-_][a-z0-9]+)*$/
const LONGEST_NAME = 64

class Refusal extends Error {}

function main(args: readonly string[]): string {
  const name = checkName(args)
  const files = {
    [`src/tools/${name}.ts`]: toolTemplate(name),
    [`test/tools/${name}.test.ts`]: testTemplate(name),
  }
  const paths = Object.keys(files)
  const taken = paths.filter((path) => existsSync(join(process.cwd(), path)))
  if (taken.length > 0) throw new Refusal(`There is a ${taken.join(' and a ')} already.`)
  for (const [path, content] of Object.entries(files)) write(path, content)
  return `Wrote ${paths.join(' and ')}.\nNext: npx vitest run ${paths[1]}`
}

function checkName(args: readonly string[]): string {
  const [name, ...more] = args
  if (name === undefined) throw new Refusal('Name the tool: npm run new:tool NAME')
  if (more.length > 0) throw new Refusal('One name at a time: npm run new:tool NAME')
  if (name.length > LONGEST_NAME || !NAME.test(name)) {
    throw new Refusal(
      `"${name}" cannot be a tool's name. Use up to ${LONGEST_NAME} small letters and digits, a letter first, with single "-" or "_" in between.`,
    )
  }
  return name
}

/** `wx`: whoever made the file meanwhile keeps it. */
function write(path: string, content: string): void {
  const target = join(process.cwd(), path)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, content, { flag: 'wx' })
}

try {
  console.log(main(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  console.error(error.message)
  process.exitCode = 1
}
