/** Finds the file with the server's declaration in a project folder. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Candidates, in search order. */
const SERVER_FILES = ['src/server', 'server'].flatMap((name) =>
  ['.ts', '.mts', '.js', '.mjs'].map((ending) => `${name}${ending}`),
)

/** The absolute path; undefined if the folder is not a project. */
export function findServerFile(folder: string): string | undefined {
  return SERVER_FILES.map((name) => join(folder, name)).find((path) => existsSync(path))
}

/** The error message for a folder that is not a project. */
export function noServerFile(folder: string): string {
  return `There is no src/server.ts in ${folder}. Run this in the folder of a project, or name that: --project FOLDER`
}
