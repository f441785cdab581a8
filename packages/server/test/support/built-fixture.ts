/** Where the bundled server of the tests is: as deep as a folder of `src`, whose `../../` it keeps. */

import { join } from 'node:path'

export const BUILT_FIXTURE = join(import.meta.dirname, '../../.built/bank')
