/** The measured server: built and configured as for production, on a Redis of its own. */

import { join } from 'node:path'
import { nodeCommand, type Program } from './measured-process.ts'

const ROOT = join(import.meta.dirname, '..')
const COMMAND = join(ROOT, 'packages/server/bin/mcp-template.js')

/** What clients know it by. Nobody resolves it: requests go to this machine. */
export const PUBLIC_URL = 'https://mcp.example.com'

export interface OurSettings {
  readonly redisUrl: string
  readonly toolsFolder: string
  /** The folder of the project; the starter if left out. */
  readonly project?: string
}

/** Its whole environment, besides the port. */
export function environmentOf({ redisUrl, toolsFolder }: OurSettings): Record<string, string> {
  return {
    NODE_ENV: 'production',
    PUBLIC_URL,
    REDIS_URL: redisUrl,
    TOOLS_DIR: toolsFolder,
    ENCRYPTION_KEY: 'a'.repeat(64),
    ENCRYPTION_IV: 'b'.repeat(32),
    JWT_SECRET: 'a secret for the benchmark, which nobody else uses',
    UPSTREAM_ISSUER: 'https://id.example.com',
    UPSTREAM_CLIENT_ID: 'bench',
    UPSTREAM_CLIENT_SECRET: 'bench',
    UPSTREAM_API_URL: 'https://api.example.com',
    // One address and one token make all the requests here; what they cost is what is asked.
    RATE_LIMIT: 'off',
    // A machine that is busy with something else is no failure of anybody here.
    STORE_TIMEOUT_MS: '20000',
    STOP_DELAY: '0',
  }
}

export function ourServer(settings: OurSettings): Program {
  const env = environmentOf(settings)
  return {
    command: () =>
      nodeCommand(COMMAND, 'start', '--project', settings.project ?? join(ROOT, 'starter')),
    env: (port) => ({ ...env, MASK_MCP_PORT: String(port) }),
    readyPath: '/readyz',
  }
}
