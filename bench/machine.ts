/** Describes the machine and the tools of a measurement. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { loadTool } from './load.ts'

/** Lines of a list. */
export function machineFacts(): string[] {
  const [cpu] = cpus()
  const gibibytes = Math.round(totalmem() / 2 ** 30)
  const [load] = loadavg()
  return [
    `- ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `- ${cpu?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, ${gibibytes} GiB, ${type()} ${arch()}; load average at the end ${load?.toFixed(1)}`,
    `- Node ${process.versions.node}, ${versionOf('redis-server', /v=(\S+)/, 'Redis')}, load by ${loadTool}`,
    `- ${['mcp-lite', 'fastmcp', 'mcp-handler', '@modelcontextprotocol/server'].map(packageVersion).join(', ')}`,
  ]
}

function versionOf(program: string, pattern: RegExp, name: string): string {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return `${name} ${pattern.exec(stdout ?? '')?.[1] ?? 'of unknown version'}`
}

function packageVersion(name: string): string {
  const file = join(import.meta.dirname, 'node_modules', name, 'package.json')
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return `${name} ${version}`
}
