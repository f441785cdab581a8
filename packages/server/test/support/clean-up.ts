/**
 * Cleans up what a file of tests leaves behind. Vitest runs this setup file for each file of tests;
 * a module of a helper runs once per worker, so that hooks at its top level apply to one file only.
 */

import { afterAll } from 'vitest'
import { runCleanups } from './after-file.ts'
import { stopServers } from './process.ts'

afterAll(async () => {
  await runCleanups()
  await stopServers()
})
