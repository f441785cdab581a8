#!/usr/bin/env node
// The command `mcp-template`. Committed, so that it can be linked before anything is built.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`mcp-template needs Node 20.19 or later; this is Node ${process.versions.node}.`)
  process.exit(1)
}

// Node 22.18 and later run TypeScript; for earlier ones tsx does.
if (!process.features.typescript) {
  try {
    const { register } = await import('tsx/esm/api')
    register()
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    console.error(`Node ${process.versions.node} needs tsx to run TypeScript: npm install tsx`)
    process.exit(1)
  }
}

// By its name, so that the conditions of the process choose between sources and what was built.
await import('@mcp-template/server/cli')
