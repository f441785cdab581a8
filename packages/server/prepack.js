// Removes what was built before, and copies the documents that a project refers to.

import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const DOCUMENTS = ['configuration.md', 'tools.md', 'upgrading.md']

const here = import.meta.dirname
for (const folder of ['dist', 'docs']) rmSync(join(here, folder), { recursive: true, force: true })
for (const name of DOCUMENTS) cpSync(join(here, '../../docs', name), join(here, 'docs', name))
