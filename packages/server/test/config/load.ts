/** Loads a configuration from the given variables in an empty folder, optionally with files. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { z } from 'zod'
import { ConfigError, type LoadedConfig, loadConfig } from '../../src/config.ts'

export interface Given {
  readonly argv?: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  readonly settings?: z.ZodObject
  readonly isAlone?: boolean
}

export function load(env: Record<string, string> = {}, given: Given = {}) {
  const { argv = [], files = {}, settings, isAlone = false } = given
  const cwd = mkdtempSync(join(tmpdir(), 'config-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content)
    return loadConfig({ argv, env, cwd, isAlone, ...(settings && { settings }) })
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

/** The error of a configuration that must not load. */
export function refusal(env: Record<string, string>, given: Given = {}): ConfigError {
  let loaded: LoadedConfig
  try {
    loaded = load(env, given)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error(`loaded: ${JSON.stringify(loaded.config)}`)
}

/** The names of the faulty variables. */
export function faultsOf(env: Record<string, string>, given: Given = {}): string[] {
  return refusal(env, given).faults.map(({ name }) => name)
}

export const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
export const IV = '0f0e0d0c0b0a09080706050403020100'

/** The variables that production requires. */
export const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://mcp.example.com',
  ENCRYPTION_KEY: KEY,
  JWT_SECRET: 'thirty-two characters or more of it',
  UPSTREAM_ISSUER: 'https://id.example.com',
  UPSTREAM_CLIENT_ID: 'mcp',
  UPSTREAM_API_URL: 'https://api.example.com',
}
