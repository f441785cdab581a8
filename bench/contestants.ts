/** The measured servers. The letters are those of the tables. */

import { join } from 'node:path'
import { BARE_SECRET } from './bare-sessions.ts'
import { direct, legacy, legacyWithToken, modern, modernWithToken, stateless } from './calls.ts'
import { type Language, languageProgram } from './languages.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { Call } from './load.ts'
import { nodeCommand, type Program } from './measured-process.ts'
import { ourServer } from './our-server.ts'
import { writeJavaScriptProject } from './tool-folder.ts'

/** Contestants with the same program share a process. */
export interface Contestant {
  readonly key: string
  readonly what: string
  readonly program: Program
  readonly call: (port: number) => Call
}

/** The setting of one run: the number of tools, and of sessions in a dedicated Redis. */
export interface Setting {
  readonly redisUrl: string
  readonly toolCount: number
  readonly toolsFolder: string
  readonly sessions: LiveSessions
  /** The file with the callers of baseline (b). */
  readonly bareCallers: string
}

function peer(name: string, toolCount: number, env: Record<string, string> = {}): Program {
  return {
    command: (port) =>
      nodeCommand(
        join(import.meta.dirname, 'servers', `${name}.mjs`),
        String(port),
        String(toolCount),
      ),
    env: () => env,
    readyPath: '/',
  }
}

/** (a) and (b): the baselines, which no server can beat. */
export function floors({ redisUrl, bareCallers }: Setting): Contestant[] {
  const env = { REDIS_URL: redisUrl, JWT_SECRET: BARE_SECRET }
  return [
    {
      ...{ key: 'a', what: 'bare `node:http`, JSON in and out' },
      ...{ program: peer('bare', 1), call: modern },
    },
    {
      ...{ key: 'b', what: 'the same, HS256 and one `GETEX`' },
      ...{ program: peer('bare-with-session', 1, env), call: modernWithToken(bareCallers) },
    },
  ]
}

/** (c) to (g): this server. */
export function ours(setting: Setting): Contestant[] {
  const { sessions } = setting
  const program = ourServer(setting)
  return [
    { key: 'c', what: '`/mcp`, 2026 era, no token', call: modern },
    {
      key: 'd',
      what: '`/mcp`, 2026 era, token and session',
      call: modernWithToken(sessions.bearers),
    },
    { key: 'e', what: '`/mcp`, 2025 era, connection, no token', call: legacy(sessions) },
    { key: 'f', what: '`/mcp`, 2025 era, connection and token', call: legacyWithToken(sessions) },
    { key: 'g', what: '`/http`, direct call, token and session', call: direct(sessions) },
  ].map((each) => ({ ...each, program }))
}

/** This server as a process, by the language of its project: Node 20 runs TypeScript with tsx. */
export function ourProjects(setting: Setting): Contestant[] {
  const own = { call: modernWithToken(setting.sessions.bearers) }
  const project = writeJavaScriptProject()
  return [
    {
      ...{ key: 'TypeScript', what: 'this server, a project of TypeScript' },
      ...{ ...own, program: ourServer(setting) },
    },
    {
      ...{ key: 'JavaScript', what: 'this server, a project of JavaScript' },
      ...{ ...own, program: ourServer({ ...setting, project }) },
    },
  ]
}

/** (h): peers on Node, without token or session. */
export function peers({ toolCount }: Setting): Contestant[] {
  return [
    { key: 'mcp-lite', call: stateless('2025-06-18') },
    { key: 'fastmcp', call: stateless('2025-11-25') },
    { key: 'mcp-handler', call: modern },
    { key: 'official-sdk', call: modern },
  ].map((each) => ({ ...each, what: `${each.key}, no token`, program: peer(each.key, toolCount) }))
}

/** (h): peers in other languages. */
export function languagePeers(
  { toolCount }: Setting,
  languages: readonly Language[],
): Contestant[] {
  return languages.map((language) => ({
    key: language.key,
    what: `${language.what}, no token`,
    program: languageProgram(language, toolCount),
    call: modern,
  }))
}
