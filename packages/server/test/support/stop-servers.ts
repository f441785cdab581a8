/** Stops the server processes that a file of tests leaves behind. Vitest runs this for each file. */

import { afterAll } from 'vitest'
import { stopServers } from './process.ts'

afterAll(stopServers)
