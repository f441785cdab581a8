/** `mcp-template dev [stdio]`: serves the project with hot reload: restarts when a file changes. */

import { join, relative } from 'node:path'
import { readCommandLine, serverArguments } from './command-line.ts'
import { ServerChild } from './dev/server-child.ts'
import { relayStdio } from './dev/stdio-relay.ts'
import { watchFiles } from './dev/watch-files.ts'

/** In the conventional cache folder, which version control ignores. */
const STATE_FOLDER = 'node_modules/.cache/mcp-template'

/** Serves until the process receives a signal to stop. */
export async function dev(args: readonly string[]): Promise<void> {
  const { project, ...line } = readCommandLine(args, 'env')
  const argv = serverArguments({ project, ...line })
  const stdio = argv[0] === 'stdio'
  const stateFile = join(project, STATE_FOLDER, stdio ? 'stdio.json' : 'http.json')
  const server = new ServerChild({
    args: ['start', ...argv, '--project', project, '--state', stateFile],
    stdio,
    say,
  })
  if (stdio) relayStdio(server, { input: process.stdin, output: process.stdout })
  const watcher = watchFiles({
    folders: [join(project, 'src'), ...frameworkSources()],
    project,
    onChange(files) {
      say(`${files.map((file) => relative(project, file)).join(', ')} changed; restarting`)
      server.restart()
    },
  })
  const stop = async () => {
    watcher.close()
    await server.stop()
    process.exit(0)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  if (stdio) process.stdin.once('end', stop)
  server.restart()
}

/** Writes to standard error: standard output carries the protocol or the log. */
function say(message: string): void {
  console.error(`[dev] ${message}`)
}

/** The framework's own source folder, if it runs from its sources. */
function frameworkSources(): string[] {
  return import.meta.filename.endsWith('.ts') ? [join(import.meta.dirname, '..')] : []
}
