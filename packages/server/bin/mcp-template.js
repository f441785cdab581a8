#!/usr/bin/env node
// The command `mcp-template`. Committed, so that it can be linked before anything is built.

import module from 'node:module'
import { join } from 'node:path'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`mcp-template needs Node 20.19 or later; this is Node ${process.versions.node}.`)
  process.exit(1)
}

// Later starts skip compilation (Node 22.8 and later). In the package's folder, since others may write
// to the default, a temporary folder; without effect where this one is read-only.
module.enableCompileCache?.(join(import.meta.dirname, '../.cache/compiled'))

// By its name, so that the conditions of the process choose between sources and what was built.
const command = '@mcp-template/server/cli'

// Node 22.18 and later run TypeScript; for the sources on earlier ones tsx does. What was built
// registers it itself, where a project needs it (src/process/typescript.ts).
if (!process.features.typescript && import.meta.resolve(command).endsWith('.ts')) {
  const { register } = await import('tsx/esm/api')
  register()
}

await import(command)
