/** `mcp-template start [stdio] [--env NAME]`: serves the project. */

import { start as startServer } from '../main.ts'
import { openProject } from '../project.ts'
import { readCommandLine, serverArguments } from './command-line.ts'

/** Serves until the process is told to stop. `--state FILE` is what `dev` adds. */
export async function start(args: readonly string[]): Promise<void> {
  const line = readCommandLine(args, 'env', 'state')
  const argv = serverArguments(line)
  const project = await openProject(line.project)
  await startServer(project, { argv, stateFile: line.values.state })
}
