/** Serves the fixtures of the conformance suite, configured like the server itself. */

import { join } from 'node:path'

// The fixtures come from the sources, and so must the engine they are declared with.
process.env.TOOLS_DIR = join(import.meta.dirname, '../conformance')
await import('../src/main.ts')
