/** Reports which files of a project changed, however an editor or a tool writes them. */

import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'

/** Debounce: one save in an editor causes several events. */
const SETTLE_MS = 100
/** The polling interval, used when the system's limit of watched folders is reached. */
const POLL_MS = 1000

export interface WatchOptions {
  /** Watched recursively. */
  readonly folders: readonly string[]
  /** The project folder, in which `package.json` and the `.env` files are watched. */
  readonly project: string
  readonly onChange: (files: readonly string[]) => void
}

/** Events only trigger a scan; comparing two scans shows what changed. */
export function watchFiles({ folders, project, onChange }: WatchOptions): { close(): void } {
  const watchers = new Map<string, FSWatcher>()
  const scan = () => scanFiles(folders, project, watchFolder)
  let known = scan()
  let settling: NodeJS.Timeout | undefined
  let polling: NodeJS.Timeout | undefined

  function watchFolder(folder: string): void {
    if (watchers.has(folder)) return
    try {
      const watcher = watch(folder, settle)
      const forget = () => {
        watcher.close()
        watchers.delete(folder)
      }
      watchers.set(folder, watcher.on('error', forget))
    } catch {
      polling ??= setInterval(compare, POLL_MS)
    }
  }

  function settle(): void {
    clearTimeout(settling)
    settling = setTimeout(compare, SETTLE_MS)
  }

  function compare(): void {
    for (const [folder, watcher] of watchers) {
      if (isFolder(folder)) continue
      watcher.close()
      watchers.delete(folder)
    }
    const found = scan()
    const changed = [...new Set([...known.keys(), ...found.keys()])].filter(
      (path) => known.get(path) !== found.get(path),
    )
    known = found
    if (changed.length > 0) onChange(changed.sort())
  }

  return {
    close() {
      clearTimeout(settling)
      clearInterval(polling)
      for (const watcher of watchers.values()) watcher.close()
    },
  }
}

/** The watched files, each with what changes when it is written. Reports every folder. */
function scanFiles(
  folders: readonly string[],
  project: string,
  onFolder: (folder: string) => void,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  onFolder(project)
  for (const name of namesIn(project)) if (isWatchedInRoot(name)) note(join(project, name))
  for (const folder of folders) lookBelow(folder)
  return found

  function lookBelow(folder: string): void {
    onFolder(folder)
    for (const name of namesIn(folder)) {
      const path = join(folder, name)
      if (isFolder(path)) lookBelow(path)
      else if (!/\.test\.[cm]?[jt]s$/.test(name)) note(path)
    }
  }

  function note(path: string): void {
    const facts = statSync(path, { throwIfNoEntry: false })
    if (facts !== undefined) found.set(path, `${facts.mtimeMs} ${facts.size} ${facts.ino}`)
  }
}

function isWatchedInRoot(name: string): boolean {
  return name === 'package.json' || name === '.env' || /^[\w.-]+\.env$/.test(name)
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Empty for a folder that was deleted meanwhile. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
