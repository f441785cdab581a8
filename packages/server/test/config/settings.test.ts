/** A team's own variables: read from the same places, checked in the same list, and never shown. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { load } from './load.ts'

const SECRET = 'postgres://desk:p%40ss-word@db.internal/desk'

const settings = z.object({
  DESK_REGION: z.enum(['eu', 'us']).default('eu'),
  DESK_PAGE: z.coerce.number().int().min(1).max(100).default(20),
  DESK_NOTE: z.string().min(3).optional(),
  DATABASE_URL: z.url().meta({ secret: true }).optional(),
})

const read = (env: Record<string, string>, schema: z.ZodObject = settings) =>
  loadConfig({ env, cwd: import.meta.dirname, settings: schema })

function faultsOf(env: Record<string, string>, schema?: z.ZodObject) {
  try {
    read(env, schema)
  } catch (error) {
    if (error instanceof ConfigError) {
      return Object.fromEntries(error.faults.map(({ name, message }) => [name, message]))
    }
    throw error
  }
  return {}
}

describe('settings', () => {
  it('have their defaults, and the values of variables', () => {
    expect(read({}).settings.values).toEqual({ DESK_REGION: 'eu', DESK_PAGE: 20 })
    const env = { DESK_REGION: 'us', DESK_PAGE: '7' }
    expect(read(env).settings.values).toEqual({ DESK_REGION: 'us', DESK_PAGE: 7 })
  })

  it('treat an empty variable as absent', () => {
    expect(read({ DESK_PAGE: '', DESK_NOTE: '' }).settings.values).toMatchObject({ DESK_PAGE: 20 })
  })

  it('are in one list of faults with the variables of the framework', () => {
    const env = { DESK_REGION: 'mars', DESK_PAGE: '1000', PUBLIC_URL: 'no', DESK_NOTE: 'x' }
    expect(faultsOf({ ...env, DATABASE_URL: 'secret-text' })).toEqual({
      PUBLIC_URL: expect.stringContaining('https://mcp.example.com'),
      DESK_REGION: 'must be eu or us',
      DESK_PAGE: 'must be at most 100',
      DESK_NOTE: 'must be at least 3 characters long',
      DATABASE_URL: 'must be a valid url',
    })
  })

  it.each([
    z.string().transform((text): string => {
      throw new Error(text)
    }),
    z.string().refine(async () => true),
  ])('whose schema throws or is asynchronous are named, without the value', (DESK_KEY) => {
    const faults = faultsOf({ DESK_KEY: SECRET }, z.object({ DESK_KEY, DESK_PAGE: z.string() }))
    expect(faults).toEqual({
      DESK_KEY: 'could not be checked: its schema in src/mcp.ts threw, or is asynchronous',
    })
  })

  it('that are required are reported if missing', () => {
    expect(faultsOf({}, z.object({ DESK_KEY: z.string() }))).toEqual({ DESK_KEY: 'is required' })
  })

  it.each([
    [z.number(), '5', 'must be declared with z.coerce.number(): variables are texts'],
    [z.boolean(), 'true', 'must be declared with z.stringbool(): variables are texts'],
    [z.coerce.number(), 'five', 'must be a number'],
    [z.coerce.number().int(), '1.5', 'must be a whole number'],
    [z.string().regex(/^a/), 'b', 'must be a valid regex'],
    [z.string().refine((text) => text === 'a', 'must be a'), 'b', 'must be a'],
  ] as const)('report a fault without the value: %#', (schema, given, message) => {
    const fault = faultsOf({ DESK_FIELD: given }, z.object({ DESK_FIELD: schema }))
    expect(fault).toEqual({ DESK_FIELD: message })
  })

  it.each(['PUBLIC_URL', 'SESSION_TTL', 'REDIS_PASSWORD'])('cannot be named %s', (name) => {
    expect(faultsOf({}, z.object({ [name]: z.string().optional() }))).toEqual({
      [name]: 'is a variable of the framework; give the setting another name',
    })
  })

  it('may resemble a variable of the framework, and be mistyped themselves', () => {
    const schema = z.object({ REDIS_URLS: z.string().optional() })
    expect(faultsOf({ REDIS_URLS: 'x' }, schema)).toEqual({})
    expect(faultsOf({ DESK_REGOIN: 'eu' })).toEqual({
      DESK_REGOIN: 'is unknown: did you mean DESK_REGION? Rename or remove it',
    })
  })

  it('that are secret are redacted, the password of a URL included', () => {
    const { secrets } = read({ DATABASE_URL: SECRET }).settings
    expect(secrets).toEqual([SECRET, 'p%40ss-word', 'p@ss-word'])
    expect(JSON.stringify(read({ DATABASE_URL: SECRET }).config)).not.toContain('word')
  })

  it('are empty if a server declares none', () => {
    expect(load().settings).toEqual({ values: {}, secrets: [] })
  })
})
