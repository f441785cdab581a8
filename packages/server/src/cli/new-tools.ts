/**
 * `mcp-template new tools --openapi FILE`: generates tools and tests from the selected operations.
 */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import {
  DocumentError,
  LARGEST_DOCUMENT,
  type OpenApiDocument,
  parseDocument,
} from '../openapi/document.ts'
import { readOrigin } from '../openapi/fingerprint.ts'
import { listedSize } from '../openapi/listed-size.ts'
import { listOperations, type Operation, select, unreadablePaths } from '../openapi/operations.ts'
import { testCode } from '../openapi/test-code.ts'
import { toolCode } from '../openapi/tool-code.ts'
import { planTool, type Skipped, type ToolPlan } from '../openapi/tool-plan.ts'
import { readOptions, UsageError } from './command-line.ts'
import { reportChanges } from './tool-changes.ts'
import { type Files, formatFiles, writeFiles } from './write-files.ts'

/** Requires `--yes` above this number: models choose less reliably among many tools. */
const MANY = 40
const DEFAULT_DEPTH = 3
const GREATEST_DEPTH = 10

const OPTIONS = {
  openapi: { type: 'string' },
  only: { type: 'string', multiple: true },
  tag: { type: 'string' },
  depth: { type: 'string' },
  out: { type: 'string' },
  'dry-run': { type: 'boolean' },
  yes: { type: 'boolean' },
  force: { type: 'boolean' },
  diff: { type: 'boolean' },
} as const

/**
 * Lists the operations, writes tools, or reports what has changed since they were written.
 * @throws UsageError
 */
export async function writeNewTools(args: readonly string[]): Promise<void> {
  const { project, positionals, values } = readOptions(args, OPTIONS)
  if (positionals.length > 1) {
    throw new UsageError(`Tools are selected with --only, not with "${positionals[1]}".`)
  }
  if (values.openapi === undefined) throw new UsageError('Name the document: --openapi FILE')
  const depth = depthOf(values.depth)
  const folder = folderOf(project, values.out)
  const document = await readDocument(values.openapi)
  const operations = listOperations(document)
  for (const [path, reason] of unreadablePaths(document)) {
    console.log(`Skipped ${visible(path)}: ${visible(reason)}.`)
  }
  const selection = { only: values.only ?? [], tag: values.tag }
  const isSelected = selection.only.length > 0 || selection.tag !== undefined
  const selected = select(operations, selection)
  if (selected.length === 0) {
    throw new UsageError('No operation matches. Without --only and --tag, all are listed.')
  }
  const plans = selected.map((operation) => planTool(document, operation, depth))
  if (values.diff === true) return reportChanges(join(project, folder), operations, plans)
  if (!isSelected) return listAll(plans)
  const tools = plans.filter((plan): plan is ToolPlan => !('reason' in plan))
  const skipped = plans.filter((plan): plan is Skipped => 'reason' in plan)
  for (const { operation, reason } of skipped) {
    console.log(`Skipped ${label(operation)}: ${reason}.`)
  }
  if (tools.length === 0) throw new UsageError('None of the selected operations can become a tool.')
  if (tools.length > MANY && values.yes !== true && values['dry-run'] !== true) {
    throw new UsageError(
      `That is ${tools.length} tools. Models choose less reliably among many: select fewer, or add --yes.`,
    )
  }
  const files = Object.fromEntries(tools.flatMap((plan) => filesOf(plan, folder)))
  if (values['dry-run'] === true) {
    for (const plan of tools) console.log(`Would write ${folder}/${plan.name}.ts (${sizeOf(plan)})`)
    return
  }
  if (values.force === true) refuseForeign(project, files)
  writeFiles(project, files, { force: values.force === true })
  formatFiles(project, Object.keys(files))
  report(tools, folder, document)
}

function depthOf(text = String(DEFAULT_DEPTH)): number {
  const depth = Number(text)
  if (Number.isInteger(depth) && depth >= 1 && depth <= GREATEST_DEPTH) return depth
  throw new UsageError(`--depth must be an integer between 1 and ${GREATEST_DEPTH}.`)
}

/** The output folder relative to the project, with forward slashes. */
function folderOf(project: string, out = 'src/tools'): string {
  const folder = relative(project, resolve(project, out)).split(sep).join('/')
  if (folder === 'src/tools' || folder.startsWith('src/tools/')) return folder
  throw new UsageError('--out must be src/tools or a folder in it: tools are found there.')
}

async function readDocument(file: string): Promise<OpenApiDocument> {
  try {
    const { size } = statSync(file)
    if (size > LARGEST_DOCUMENT) {
      throw new DocumentError(`It exceeds the limit of ${LARGEST_DOCUMENT} bytes.`)
    }
    return await parseDocument(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof DocumentError) throw new UsageError(`Cannot use ${file}. ${error.message}`)
    if (!(error instanceof Error && 'code' in error)) throw error
    throw new UsageError(`Cannot read ${file}: ${REASONS[String(error.code)] ?? error.message}`)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file.',
  EISDIR: 'it is a folder.',
  EACCES: 'permission is denied.',
}

function filesOf(plan: ToolPlan, folder: string): [string, string][] {
  return [
    [`${folder}/${plan.name}.ts`, toolCode(plan)],
    [`${folder}/${plan.name}.test.ts`, testCode(plan)],
  ]
}

/** Refuses to overwrite files other than tools generated from OpenAPI and their tests. */
function refuseForeign(project: string, files: Files): void {
  for (const file of Object.keys(files).filter((name) => !name.endsWith('.test.ts'))) {
    const path = join(project, file)
    if (existsSync(path) && readOrigin(readFileSync(path, 'utf8')) === undefined) {
      throw new UsageError(
        `${file} was not written from OpenAPI: rename it, or choose another --out.`,
      )
    }
  }
}

function label({ method, path, id }: Operation): string {
  return visible(`${method} ${path}${id === undefined ? '' : ` (${id})`}`)
}

/** Strips control characters: names of a document could inject terminal escape sequences. */
function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?').slice(0, 200)
}

function sizeOf(plan: ToolPlan): string {
  return `${(listedSize(plan) / 1000).toFixed(1)} kB`
}

function listAll(plans: readonly (ToolPlan | Skipped)[]): void {
  for (const plan of plans) {
    const size = 'reason' in plan ? `skipped: ${plan.reason}` : sizeOf(plan)
    console.log(`${label(plan.operation)}  ${size}`)
  }
  const tools = plans.filter((plan): plan is ToolPlan => !('reason' in plan))
  const total = tools.reduce((sum, plan) => sum + listedSize(plan), 0)
  console.log(
    `\n${tools.length} of ${plans.length} operations can be tools: ${(total / 1000).toFixed(1)} kB in tools/list. Nothing was written.\nSelect some: --only "GET /path/**", --only OPERATION_ID, --tag TAG`,
  )
}

function report(tools: readonly ToolPlan[], folder: string, { servers }: OpenApiDocument): void {
  const names = tools.map(({ name }) => name)
  const what = names.length === 1 ? '1 tool with its test' : `${names.length} tools with tests`
  const more = names.length > MANY ? ` and ${names.length - MANY} more` : ''
  console.log(`Wrote ${what} to ${folder}: ${names.slice(0, MANY).join(', ')}${more}.`)
  console.log('Decide at each "// mask?", and read the text after "// left out".')
  const [server] = servers
  if (server !== undefined) console.log(`The API is at ${visible(server)}: set UPSTREAM_API_URL.`)
  console.log(`Next: npx vitest run ${folder}`)
}
