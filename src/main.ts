/** The entry point. It imports no part of the server before it is clear where standard output leads. */

import { openStdio } from './process/stdio-launcher.ts'

const stdio = process.argv[2] === 'stdio' ? await openStdio(process.env) : undefined
if (stdio !== 'launched') await (await import('./start.ts')).start(stdio)
