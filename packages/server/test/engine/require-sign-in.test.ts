/**
 * Tools that require a sign-in, called without one: URL elicitation, or an error that points to
 * `login`.
 */

import { isInputRequiredResult } from '@modelcontextprotocol/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CallSession, RequestStateContent, ToolCall } from '../../src/engine/call.ts'
import { createCaller } from '../../src/engine/identity.ts'
import { requireUpstreamSignIn } from '../../src/engine/require-sign-in.ts'
import { QUIET, quietClient } from '../../src/testing/tool-client.ts'
import { type OpenedToolSession, openToolSession } from '../../src/testing/tool-session.ts'
import service from '../fixtures/bank/tools/service.ts'
import { recordingLogger } from '../logger/lines.ts'
import { callTool } from '../support/tools.ts'

let own: OpenedToolSession
beforeEach(async () => {
  own = await openToolSession({})
})
afterEach(() => own.close())

const noUpstream = () => {
  throw new Error('Signing in asks nothing of the upstream API')
}

function callWith(fields: Partial<ToolCall> = {}): ToolCall {
  return {
    name: 'probe',
    arguments: {},
    caller: createCaller(),
    scopes: undefined,
    count: async () => undefined,
    openSession: async () => own.session,
    upstreamFor: noUpstream,
    client: quietClient({ openUrls: true }),
    announce: QUIET,
    responses: {},
    requestState: undefined,
    sealRequestState: (state) => JSON.stringify(state),
    signal: new AbortController().signal,
    progress: async () => undefined,
    log: recordingLogger().log,
    audit: () => undefined,
    ...fields,
  }
}

/** A session in which nobody signs in, and waiting takes no time. */
const impatient = (): CallSession => ({
  ...own.session,
  signInOnBehalf: async () => false,
  waitForSignIn: async () => false,
})
const later = (fields: Partial<ToolCall> = {}) =>
  callWith({
    requestState: { signInRound: 1 },
    responses: { sign_in: { action: 'accept' } },
    ...fields,
  })

async function signInRequestOf(call: ToolCall) {
  const result = await requireUpstreamSignIn(call, own.session)
  const params = result?.inputRequests?.sign_in?.params as Record<string, unknown>
  return {
    result,
    params,
    requestState: JSON.parse(result?.requestState ?? '{}') as RequestStateContent,
  }
}

describe('with a sign-in', () => {
  it('the call continues, whatever the client can do', async () => {
    await own.signIn()
    const signedIn = { ...own.session, state: 'authenticated' } as const
    for (const openUrls of [true, false]) {
      const call = callWith({ client: quietClient({ openUrls }) })
      expect(await requireUpstreamSignIn(call, signedIn)).toBeUndefined()
    }
  })
})

describe('a client that cannot open URLs', () => {
  it('gets an error that points to login', async () => {
    const call = callWith({ client: quietClient({ openUrls: false }) })
    await expect(requireUpstreamSignIn(call, own.session)).rejects.toMatchObject({
      code: 'login_required',
    })
  })
})

describe('a client that opens URLs', () => {
  it('gets a request to open a one-time link, with its code', async () => {
    const { result, params } = await signInRequestOf(callWith())
    expect(isInputRequiredResult(result)).toBe(true)
    expect(params.url).toMatch(/\/connect\/lnk_[\w-]{43}$/)
    expect(params.message).toMatch(/[0-9A-Z]{4}-[0-9A-Z]{4}/)
    expect(params.elicitationId).toBeUndefined()
  })

  it('keeps the session in the next round', async () => {
    const { requestState } = await signInRequestOf(callWith())
    expect(requestState).toEqual({ session: own.session.handle, signInRound: 1 })
  })

  it.each(['decline', 'cancel'] as const)(
    'and whose user chose to %s ends there',
    async (answer) => {
      const call = callWith({
        requestState: { signInRound: 1 },
        responses: { sign_in: { action: answer } },
      })
      await expect(requireUpstreamSignIn(call, own.session)).rejects.toMatchObject({
        code: 'login_declined',
      })
    },
  )

  it('continues if the sign-in completes while it waits', async () => {
    const waiting = requireUpstreamSignIn(later(), own.session)
    await own.signIn()
    expect(await waiting).toBeUndefined()
  })

  it('continues if the sign-in completes in a later round without an answer', async () => {
    await own.signIn()
    const call = later({ requestState: { signInRound: 3 }, responses: {} })
    expect(await requireUpstreamSignIn(call, own.session)).toBeUndefined()
  })

  it('starts another round without a request', async () => {
    const call = later({ requestState: { session: 'ses_a', signInRound: 3 } })
    const result = await requireUpstreamSignIn(call, impatient())
    expect(result?.inputRequests).toBeUndefined()
    expect(JSON.parse(result?.requestState ?? '')).toEqual({ session: 'ses_a', signInRound: 4 })
  })

  it('gives up after seven rounds', async () => {
    let requestState: RequestStateContent = { signInRound: 1 }
    for (let round = 2; round <= 7; round += 1) {
      const result = await requireUpstreamSignIn(later({ requestState }), impatient())
      requestState = JSON.parse(result?.requestState ?? '')
      expect(requestState.signInRound).toBe(round)
    }
    await expect(requireUpstreamSignIn(later({ requestState }), impatient())).rejects.toMatchObject(
      {
        code: 'login_required',
      },
    )
  })

  it('waits for 25 seconds in a round', async () => {
    const waitForSignIn = vi.fn(async () => false)
    await requireUpstreamSignIn(later(), { ...impatient(), waitForSignIn })
    expect(waitForSignIn).toHaveBeenCalledWith(25_000, expect.any(AbortSignal))
  })
})

describe('a session that waits for a sign-in', () => {
  it('stops at the time limit', async () => {
    expect(await own.session.waitForSignIn(10, new AbortController().signal)).toBe(false)
  })

  it('stops when the call is cancelled', async () => {
    expect(await own.session.waitForSignIn(60_000, AbortSignal.timeout(20))).toBe(false)
  })

  it('stops when the session ends', async () => {
    const waiting = own.session.waitForSignIn(60_000, new AbortController().signal)
    await own.session.end()
    expect(await waiting).toBe(false)
  })
})

describe('a client of the 2025 era', () => {
  it('is notified when the elicitation is complete', async () => {
    const elicitationCompleted = vi.fn(async () => undefined)
    const { params } = await signInRequestOf(
      callWith({ client: { ...quietClient({ openUrls: true }), elicitationCompleted } }),
    )
    expect(params.elicitationId).toBeTypeOf('string')
    expect(elicitationCompleted).not.toHaveBeenCalled()
    await own.signIn()
    await vi.waitFor(
      () => expect(elicitationCompleted).toHaveBeenCalledWith(params.elicitationId),
      30_000,
    )
  })

  it('that has disconnected by then causes no error', async () => {
    const elicitationCompleted = vi.fn(() => Promise.reject(new Error('the stream is closed')))
    await signInRequestOf(
      callWith({ client: { ...quietClient({ openUrls: true }), elicitationCompleted } }),
    )
    await own.signIn()
    await vi.waitFor(() => expect(elicitationCompleted).toHaveBeenCalled(), 30_000)
  })
})

describe('a tool that needs a sign-in', () => {
  const upstream = { 'GET /accounts/{id}': { owner: 'Ada' } }

  it('answers with the session to pass on, once the caller has one', async () => {
    const result = await callTool(service, {}, { opensUrl: 'accept', upstream })
    expect(result.requests).toHaveLength(1)
    expect(result.session.state).toBe('authenticated')
  })

  it.each(['decline', 'cancel'] as const)('does not run after %s', async (opensUrl) => {
    const result = await callTool(service, {}, { opensUrl, upstream })
    expect(result.code).toBe('login_declined')
    expect(result.requests).toEqual([])
  })
})
