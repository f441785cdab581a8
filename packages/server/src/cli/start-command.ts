/** `mcp-template start [stdio] [--env NAME]`: serves the project. */

import { openStdio } from '../process/stdio-launcher.ts'
import { supportTypeScript } from '../process/typescript.ts'
import { readCommandLine, serverArguments } from './command-line.ts'

/** Serves until the process receives a signal to stop. `dev` passes `--state FILE`. */
export async function start(args: readonly string[]): Promise<void> {
  const line = readCommandLine(args, 'env', 'state')
  const argv = serverArguments(line)
  const stdio = argv[0] === 'stdio' ? await openStdio(process.env) : undefined
  if (stdio === 'launched') return
  // Imported here, after standard output is reserved: imports may print, and a process that only
  // launches another needs none of them.
  const [{ openProject }, { importServing, start: startServer }] = await Promise.all([
    import('../project.ts'),
    import('../start.ts'),
  ])
  await supportTypeScript(line.project, () => importServing(stdio))
  const project = await openProject(line.project)
  await startServer(project, { argv, stdio, stateFile: line.values.state })
}
