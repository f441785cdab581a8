// Copies the starter into this package. npm leaves out files such as .gitignore, hence "_gitignore".

import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const starter = join(import.meta.dirname, '../../starter')
const template = join(import.meta.dirname, 'template')

// What git would commit: no packages, no secrets, no files that a run left behind.
const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
const files = execFileSync('git', list, { cwd: starter, encoding: 'utf8' }).split('\0')

rmSync(template, { recursive: true, force: true })
for (const file of files.filter((name) => name !== '')) {
  cpSync(join(starter, file), join(template, file.replace(/^\./, '_')))
}
