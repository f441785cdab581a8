/** The content and the destination of log lines. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import { recordingLogger } from './lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'logger-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a line', () => {
  it('has the time, the level, the process and the message', () => {
    const { log, lines, raw } = recordingLogger()
    log.info({ requestId: 'r1' }, 'served')
    expect(raw[0]).toMatch(/^\{.*\}\n$/)
    const [line] = lines()
    expect(line).toMatchObject({
      level: 'info',
      name: 'test',
      version: '1.2.3',
      requestId: 'r1',
      msg: 'served',
    })
    expect(Date.parse(String(line?.time))).toBeGreaterThan(Date.now() - 60_000)
  })

  it('has the fields of its parents', () => {
    const { log, lines } = recordingLogger()
    log.child({ requestId: 'r1' }).child({ tool: 'service' }).warn('slow')
    expect(lines()[0]).toMatchObject({ requestId: 'r1', tool: 'service', msg: 'slow' })
  })

  it('is left out below the level', () => {
    const { log, lines } = recordingLogger('warn')
    log.info('not this')
    log.child({}).debug('nor this')
    log.warn('this')
    expect(lines().map(({ msg }) => msg)).toEqual(['this'])
    expect([log.isLevelEnabled('info'), log.isLevelEnabled('error')]).toEqual([false, true])
  })

  it('is never written when silent', () => {
    const { log, raw } = recordingLogger('silent')
    log.fatal('not even this')
    expect(raw).toEqual([])
  })
})

describe('an error in the log', () => {
  it('has type, message, code, stack and causes', () => {
    const cause = Object.assign(new TypeError('connect failed'), { code: 'ECONNREFUSED' })
    const { log, lines } = recordingLogger()
    log.error({ err: new AppError('unavailable', 'Try again.', { cause }) }, 'failed')
    expect(lines()[0]?.err).toEqual({
      type: 'AppError',
      message: 'Try again.',
      code: 'unavailable',
      stack: expect.stringContaining('logger.test.ts'),
      cause: {
        type: 'TypeError',
        message: 'connect failed',
        code: 'ECONNREFUSED',
        stack: expect.any(String),
      },
    })
  })

  it('is written under any field name, with the errors of an AggregateError', () => {
    const { log, lines } = recordingLogger()
    log.warn({ reason: new AggregateError([new RangeError('one')], 'several') }, 'failed')
    expect(lines()[0]?.reason).toMatchObject({
      type: 'AggregateError',
      errors: [{ type: 'RangeError', message: 'one' }],
    })
  })
})

describe('a long text', () => {
  const long = `${'word '.repeat(10_000_000)}end`
  it('is truncated in an error and its causes, and the frames stay', () => {
    const { log, lines, raw } = recordingLogger()
    const cause = new TypeError(long, { cause: long })
    log.fatal({ err: new Error(long, { cause }) }, 'failed')
    expect(raw[0]?.length).toBeLessThan(100_000)
    const err = lines()[0]?.err as { message: string; stack: string; cause: typeof err }
    for (const { message, stack } of [err, err.cause]) {
      expect(message).toMatch(/^(word ){1637}word \[\d+ more characters\]$/)
      expect(stack).toMatch(/^\w*Error: word /)
      expect(stack).toMatch(/more characters\]\n {4}at .*logger\.test\.ts/)
      expect(stack.length).toBeLessThan(30_000)
    }
  })

  it.each([
    ['a text', long],
    ['a stack', Object.assign(new Error('x'), { stack: long })],
    ['a name', Object.assign(new Error('x'), { name: long })],
    ['a code', Object.assign(new Error('x'), { code: long })],
    ['what it has thousands of', Array.from({ length: 1000 }, () => long)],
    ['fields', { some: { thing: long } }],
  ])('is truncated if it is %s', (_what, err) => {
    const { log, raw } = recordingLogger()
    log.fatal({ err, other: 1 }, 'failed')
    expect(raw[0]?.length).toBeLessThan(200_000)
    expect(raw[0]).toContain('more characters]')
    expect(raw[0]).toContain('"msg":"failed"')
  })

  it('shows no part of a secret at its end', () => {
    const { log, raw } = recordingLogger()
    for (let length = 8150; length < 8192; length += 1) {
      log.error({ text: `${'x'.repeat(length)} redis://user:hunter2hunter2@host:1/ more` }, 'cut')
    }
    expect(raw.join('')).not.toContain('hunter')
  })
})

describe('unusual values', () => {
  it('do not prevent a line', () => {
    const circle: Record<string, unknown> = { name: 'circle' }
    circle.self = circle
    const error = new Error('round')
    error.cause = error
    const unreadable = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('no')
      },
    })
    const { log, lines } = recordingLogger()
    log.info({ circle }, 'circle')
    log.info({ error }, 'error')
    log.info({ unreadable }, 'unreadable')
    log.info({ key: Buffer.from('secret bytes'), at: new Date(0), big: 1n }, 'values')
    log.info({ many: Array.from({ length: 5000 }, () => ({})) }, 'many')
    expect(lines().map(({ msg }) => msg)).toEqual([
      'circle',
      'error',
      'unreadable',
      'values',
      'many',
    ])
    expect(lines()[3]).toMatchObject({ key: '[12 bytes]', at: '1970-01-01T00:00:00.000Z' })
    expect(JSON.stringify(lines()[4]).length).toBeLessThan(30_000)
  })
})

describe('the log file', () => {
  const options = { level: 'info', name: 'test', version: '1' } as const

  it('is appended to, in a folder that is created, and complete after close', async () => {
    const file = join(folder, 'deep/er/server.log')
    for (const round of [1, 2]) {
      const log = createLogger({ ...options, file, destination: 'stderr' })
      for (let at = 0; at < 500; at += 1) log.info({ round, at }, 'line')
      await log.close()
      await log.close()
    }
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1000)
  })

  it('has everything after flush', async () => {
    const file = join(folder, 'flush.log')
    const log = createLogger({ ...options, file })
    log.info('one')
    log.info('two')
    log.flush()
    await expect.poll(() => readFileSync(file, 'utf8').split('\n').length).toBe(3)
    await log.close()
  })

  it('prevents the start if it cannot be opened', () => {
    expect(() => createLogger({ ...options, file: folder })).toThrow(/EISDIR/)
  })
})

describe('a process', () => {
  function run(code: string) {
    const logger = JSON.stringify(join(import.meta.dirname, '../../src/logger.ts'))
    const source = `import { createLogger } from ${logger}\n${code}`
    const args = ['--import', 'tsx', '--input-type=module', '--eval', source]
    return spawnSync(process.execPath, args, { encoding: 'utf8' })
  }

  it('logs to standard output, or to standard error if the protocol uses the former', () => {
    const { stdout, stderr } = run(`
      const options = { level: 'info', name: 'test', version: '1' }
      createLogger(options).info('to stdout')
      const log = createLogger({ ...options, destination: 'stderr' })
      log.info('to stderr')
      log.flush()
      await log.close()`)
    expect(JSON.parse(stdout).msg).toBe('to stdout')
    expect(JSON.parse(stderr).msg).toBe('to stderr')
  })

  it('loses no line when it exits without closing the file', () => {
    const file = join(folder, 'exit.log')
    run(`
      const log = createLogger({ level: 'info', name: 'test', version: '1', file: ${JSON.stringify(file)} })
      for (let at = 0; at < 2000; at += 1) log.info({ at }, 'line')
      process.exit(3)`)
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2000)
  })
})
