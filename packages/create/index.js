#!/usr/bin/env node
// The command `create-mcp-template`. Written so that a Node that is too old can still say so.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`MCP Template needs Node 20.19 or later; this is Node ${process.versions.node}.`)
  process.exitCode = 1
} else {
  void import('./create.js').then(({ create }) => create(process.argv.slice(2)))
}
