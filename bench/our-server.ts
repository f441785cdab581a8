/** The measured server: built and configured as for production, with a dedicated Redis. */

import { join } from 'node:path'
import { nodeCommand, type Program } from './measured-process.ts'

const ROOT = join(import.meta.dirname, '..')
const COMMAND = join(ROOT, 'packages/server/bin/mcp-template.js')

/** The public URL. It is never resolved: requests go to this machine. */
export const PUBLIC_URL = 'https://mcp.example.com'

export interface OurSettings {
  readonly redisUrl: string
  readonly toolsFolder: string
  /** The project folder; the starter by default. */
  readonly project?: string
}

/** The complete environment, except the port. */
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
    // Off, since one address and one token send all requests; the benchmark measures their cost.
    RATE_LIMIT: 'off',
    // Tolerates a busy machine, which is no fault of the server.
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
