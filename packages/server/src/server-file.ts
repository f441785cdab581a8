/** Where the declaration of a server is in the folder of a project. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** In the order of search. */
const SERVER_FILES = ['src/server', 'server'].flatMap((name) =>
  ['.ts', '.mts', '.js', '.mjs'].map((ending) => `${name}${ending}`),
)

/** The absolute path; undefined in a folder that is no project. */
export function findServerFile(folder: string): string | undefined {
  return SERVER_FILES.map((name) => join(folder, name)).find((path) => existsSync(path))
}

/** What to say about a folder that is no project. */
export function noServerFile(folder: string): string {
  return `There is no src/server.ts in ${folder}. Run this in the folder of a project, or name that: --project FOLDER`
}
