/** Sets up and tears down the settings of a run. */

import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { type RedisServer, startRedis } from '../packages/server/test/support/redis.ts'
import { makeBareSessions } from './bare-sessions.ts'
import type { Setting } from './contestants.ts'
import { makeSessions } from './live-sessions.ts'
import { writeTools } from './tool-folder.ts'

export interface Settings {
  /** A Redis with `sessionCount` live sessions, and servers with `toolCount` tools. */
  make(toolCount: number, sessionCount: number): Promise<Setting>
  /** The same sessions with another number of tools. */
  withTools(setting: Setting, toolCount: number): Setting
  close(): Promise<void>
}

/** Writes files to `folder`, which is deleted afterwards. */
export function createSettings(folder: string): Settings {
  const running: RedisServer[] = []
  return {
    async make(toolCount, sessionCount) {
      // Persistence is off: the data does not outlive the run, and disk speed must not affect the
      // baselines.
      const redis = await startRedis('plain', ['--appendonly', 'no'])
      running.push(redis)
      const redisUrl = redis.url
      const toolsFolder = writeTools(toolCount)
      // A separate folder per setting: two with the same number of sessions must not share callers.
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
