/** Persists the memory store of a development server in a file across restarts. */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { StoreLog } from './store-log.ts'

const ONLY_OWNER = 0o600

const streamForm = z.object({
  entries: z.array(z.object({ id: z.string(), value: z.string() })),
  newest: z.string(),
})

const memoryForm = z.object({
  documents: z.array(z.tuple([z.string(), z.string(), z.number()])),
  streams: z.array(z.tuple([z.string(), streamForm, z.number()])),
})

/** The entries of a store: key, value and expiry in Unix milliseconds. */
export type KeptMemory = Readonly<z.input<typeof memoryForm>>

export type MemoryFile = ReturnType<typeof createMemoryFile>

/** Readable by its owner alone (0600), since it holds sessions. A corrupt file counts as empty. */
export function createMemoryFile(path: string, log: StoreLog) {
  return {
    read(): KeptMemory | undefined {
      try {
        return memoryForm.parse(JSON.parse(readFileSync(path, 'utf8')))
      } catch (error) {
        const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
        if (!isAbsent) log.warn({ err: error }, 'saved sessions unreadable; starting without them')
        return undefined
      }
    },
    write(kept: KeptMemory): void {
      const temporary = `${path}.${process.pid}`
      try {
        mkdirSync(dirname(path), { recursive: true })
        rmSync(temporary, { force: true })
        writeFileSync(temporary, JSON.stringify(kept), { mode: ONLY_OWNER })
        renameSync(temporary, path)
      } catch (error) {
        log.warn({ err: error }, 'sessions not saved')
      }
    },
  }
}
