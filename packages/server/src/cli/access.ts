/**
 * `mcp-template access list|block|unblock|end`: the operator's kill switch, by client, person or
 * tool. Writes to the Redis of the deployment; all nodes apply the change.
 */

import { userInfo } from 'node:os'
import { type AccessControl, createAccessControl, type Target } from '../access-control.ts'
import type { Config, LoadedConfig } from '../config.ts'
import { loadConfig } from '../config.ts'
import { AppError } from '../errors.ts'
import { createLogger, type RootLogger } from '../logger.ts'
import { declaredSources, loadCatalog, openProject, type Project } from '../project.ts'
import { openStore, waitForStore } from '../start.ts'
import { readCommandLine, UsageError } from './command-line.ts'

const USAGE = `mcp-template access list
mcp-template access block|unblock|end client=ID|person=SUBJECT|tool=NAME --reason TEXT [--by NAME]
Options: --env NAME, --project FOLDER`

const MEMORY_STORE =
  'This command needs the Redis of the nodes, but this configuration has the memory store, which is private to each process. Set REDIS_URL as on the nodes, for example with --env NAME.'

/** In an emergency, waiting is better than repeating the command. */
const STORE_WAIT_MS = 10_000
/** The exit code while the store is unavailable: nothing was changed, or not all of it. */
const UNAVAILABLE = 3
const LONGEST_REASON = 500

type Action = 'list' | 'block' | 'unblock' | 'end'

interface Order {
  readonly action: Action
  readonly target: Target | undefined
  readonly reason: string
  readonly by: string
}

/** @throws UsageError, ConfigError */
export async function access(args: readonly string[]): Promise<void> {
  const line = readCommandLine(args, 'env', 'reason', 'by')
  const order = orderOf(line.positionals, line.values)
  const project = await openProject(line.project)
  const { env } = line.values
  const loaded = loadConfig({
    ...{ argv: env === undefined ? [] : ['--env', env], env: process.env, cwd: project.folder },
    ...declaredSources(project),
  })
  const { config } = loaded
  if (config.store.kind === 'memory') throw new UsageError(MEMORY_STORE)
  const log = createLogger({ ...config.app, level: 'warn', destination: 'stderr' })
  try {
    const lines = await carryOut(order, loaded, log)
    const warnings = await unknownTool(order, project, config)
    for (const warning of warnings) process.stderr.write(`Warning: ${warning}\n`)
    // An open handle of a loaded file must not keep the process alive.
    process.stdout.write(`${lines.join('\n')}\n`, () => process.exit(0))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code !== 'unavailable') throw new UsageError(error.message)
    const text = `The store is unavailable: ${error.message} Run the command again.\n`
    process.stderr.write(text, () => process.exit(UNAVAILABLE))
  }
}

async function carryOut(
  { action, target, ...why }: Order,
  loaded: LoadedConfig,
  log: RootLogger,
): Promise<readonly string[]> {
  const { config, secrets } = loaded
  const store = await openStore(loaded, log, undefined)
  try {
    await waitForStore(store, STORE_WAIT_MS)
    const control = await createAccessControl({ config, secrets, store, log })
    try {
      return target === undefined ? listed(control) : await changed(control, action, target, why)
    } finally {
      await control.close()
    }
  } finally {
    await store.close()
  }
}

async function listed(control: AccessControl): Promise<readonly string[]> {
  const entries = await control.list()
  if (entries.length === 0) return ['Nothing is blocked.']
  return entries.map(({ kind, value, reason, by, at }) => {
    const since = new Date(at).toISOString()
    return `${kind}=${value}  since ${since}  by ${by}: ${reason}`
  })
}

async function changed(
  control: AccessControl,
  action: Action,
  target: Target,
  why: Pick<Order, 'reason' | 'by'>,
): Promise<readonly string[]> {
  const what = `${target.kind}=${target.value}`
  switch (action) {
    case 'block':
      await control.block(target, why)
      return [`Blocked ${what}: no node accepts its next call.`]
    case 'unblock':
      return (await control.unblock(target, why))
        ? [`Unblocked ${what}.`]
        : [`${what} was not blocked.`]
    default: {
      const ended = await control.end(target, why)
      return [`Ended ${ended === 1 ? '1 session' : `${ended} sessions`} of ${what}.`]
    }
  }
}

function orderOf(
  [action = '', ...targets]: readonly string[],
  { reason = '', by = userInfo().username }: Readonly<Record<string, string | undefined>>,
): Order {
  if (action === 'list' && targets.length === 0) return { action, target: undefined, reason, by }
  if (action !== 'block' && action !== 'unblock' && action !== 'end') throw new UsageError(USAGE)
  const [given = '', ...more] = targets
  const [, kind, value] = /^(client|person|tool)=(.+)$/s.exec(given) ?? []
  if (kind === undefined || value === undefined || more.length > 0) throw new UsageError(USAGE)
  if (reason.trim() === '') {
    throw new UsageError('--reason TEXT is required: the audit log records it.')
  }
  if (reason.length > LONGEST_REASON) {
    throw new UsageError(`The reason exceeds the limit of ${LONGEST_REASON} characters.`)
  }
  if (action === 'end' && kind === 'tool') {
    throw new UsageError('A tool has no sessions to end. Block it: access block tool=NAME.')
  }
  return { action, target: { kind: kind as Target['kind'], value }, reason, by }
}

/** A misspelled name blocks nothing; a catalog that does not load must not prevent a block. */
async function unknownTool(
  { action, target }: Order,
  project: Project,
  config: Config,
): Promise<readonly string[]> {
  if (action !== 'block' || target?.kind !== 'tool') return []
  const catalog = await loadCatalog(project, config.tools.directory).catch(() => undefined)
  if (catalog === undefined || catalog.tools.has(target.value)) return []
  return [`this project has no tool "${target.value}".`]
}
