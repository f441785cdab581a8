/** Invalid options are refused in their declaration, with one sentence. */

import { expect, test } from 'vitest'
import { defineServer, type ServerDefinition } from '../../src/define-server.ts'

test.each([
  [{ transports: { see: false } }, 'transports must be an object with sse and direct'],
  [{ transports: false }, 'transports must be an object with sse and direct'],
  [{ sessionTools: 'off' }, 'sessionTools must be true or false'],
  [{ demo: 'off' }, 'demo must be true or false'],
  [{ landingPage: true }, "landingPage must be 'public', 'signed-in' or false"],
  [{ metrics: 0 }, 'metrics must be true or false'],
  [{ traces: null }, 'traces must be true or false'],
  [{ protocols: [] }, 'protocols must be'],
  [{ protocols: ['2025-11-25'] }, 'protocols must be'],
  [{ sesionTools: false }, 'sesionTools is not an option'],
  [{ branding: { colour: '#0b7285' } }, 'branding.colour is not an option'],
  [{ protocols: ['2026-07-28'], transports: { sse: true } }, 'transports.sse must be false'],
])('%j', (options, message) => {
  const definition = { name: 'acme', ...options } as ServerDefinition
  expect(() => defineServer(definition)).toThrow(message)
})

test('all options are accepted together', () => {
  const options: Partial<ServerDefinition> = {
    transports: { sse: false, direct: false },
    ...{ sessionTools: false, demo: false, metrics: false, traces: false },
    landingPage: false,
    protocols: ['2026-07-28'],
  }
  expect(defineServer({ name: 'acme', ...options })).toMatchObject(options)
})
