/**
 * The entry point of `mcp-template`: dispatches to the subcommand that the first argument names.
 */

import { readFileSync } from 'node:fs'
import { UsageError } from './command-line.ts'

const USAGE = `mcp-template COMMAND [--project FOLDER]

  start [stdio] [--env NAME]                 serve over HTTP, or standard input and output
  dev [stdio] [--env NAME]                   the same, restarting when a file changes
  check [--env NAME]                         load everything, open nothing, report every fault
  tools                                      show what each tool adds to the list of tools, in bytes
  settings [--write|--markdown]              document the variables of src/mcp.ts; --write: in .env.example
  new tool|resource|prompt|hook [FOLDER/]NAME  write a file to start from, for a tool with its test
  new tools --openapi FILE [OPTIONS]         list the operations of an OpenAPI document, or write tools:
    --only PATTERN, --tag TAG                  select: "GET /accounts/**", an operationId; repeatable
    --depth N, --out FOLDER                    levels of nested objects (3); output folder (src/tools)
    --dry-run, --yes, --force                  write nothing; allow more than 40 tools; overwrite files
    --diff                                     list what has changed in the document since
  access list [--env NAME]                   show which clients, people and tools are blocked
  access block|unblock|end client=ID|person=SUBJECT|tool=NAME --reason TEXT
                                             refuse it on all nodes, allow it again, or end its sessions
  encrypt [--env NAME] [--generate]          encrypt a secret for the configuration

--project names the folder of the project, by default the current one. --version prints the version of
@mcp-template/server.`

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  start: async (args) => (await import('./start-command.ts')).start(args),
  dev: async (args) => (await import('./dev-command.ts')).dev(args),
  check: async (args) => (await import('./check.ts')).check(args),
  tools: async (args) => (await import('./tools.ts')).printTools(args),
  settings: async (args) => (await import('./settings-command.ts')).documentSettings(args),
  new: async (args) => (await import('./new.ts')).writeNew(args),
  access: async (args) => (await import('./access.ts')).access(args),
  encrypt: async (args) => (await import('./encrypt.ts')).encrypt(args),
  '--help': async () => console.log(USAGE),
  '--version': async () => console.log(packageVersion()),
}

const SHORT: Readonly<Record<string, string>> = {
  '-h': '--help',
  help: '--help',
  '-v': '--version',
}

/** The version of the framework; `check` prints the server's own version. */
function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** Imported lazily: `start` loads the server only after it has reserved standard output. */
async function explain(error: unknown): Promise<string> {
  const { explainFailure } = await import('../explain-failure.ts')
  return explainFailure(error)
}

const [word = '--help', ...args] = process.argv.slice(2)
const hasHelp = args.includes('--help') || args.includes('-h')
const name = hasHelp ? '--help' : (SHORT[word] ?? word)
try {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) throw new UsageError(`There is no command "${name}".\n\n${USAGE}`)
  await command(args)
} catch (error) {
  console.error(error instanceof UsageError ? error.message : await explain(error))
  process.exitCode = 1
}
