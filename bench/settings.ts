/** Puts up what a sitting is about, and takes it away again. */

import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { type RedisServer, startRedis } from '../packages/server/test/support/redis.ts'
import { makeBareSessions } from './bare-sessions.ts'
import type { Setting } from './contestants.ts'
import { makeSessions } from './live-sessions.ts'
import { writeTools } from './tool-folder.ts'

export interface Settings {
  /** A Redis with so many live sessions, and servers with so many tools. */
  make(toolCount: number, sessionCount: number): Promise<Setting>
  /** The same sessions with another number of tools. */
  withTools(setting: Setting, toolCount: number): Setting
  close(): Promise<void>
}

/** Files go into `folder`, which is gone afterwards. */
export function createSettings(folder: string): Settings {
  const running: RedisServer[] = []
  return {
    async make(toolCount, sessionCount) {
      // What is written is not to outlive the run, and the disk is nobody's floor.
      const redis = await startRedis('plain', ['--appendonly', 'no'])
      running.push(redis)
      const redisUrl = redis.url
      const toolsFolder = writeTools(toolCount)
      // Of two settings with as many sessions neither may find the callers of the other.
      const own = mkdtempSync(join(folder, 'callers-'))
      const sessions = await makeSessions({ redisUrl, toolsFolder }, sessionCount, own)
      const bareCallers = await makeBareSessions(redisUrl, sessionCount, own)
      return { redisUrl, toolCount, toolsFolder, sessions, bareCallers }
    },
    withTools: (setting, toolCount) => ({
      ...setting,
      ...{ toolCount, toolsFolder: writeTools(toolCount) },
    }),
    async close() {
      await Promise.all(running.map((redis) => redis.stop()))
    },
  }
}
