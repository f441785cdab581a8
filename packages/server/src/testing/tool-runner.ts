/**
 * For tests of tools: runs one through the real engine and a real session, without a server.
 *
 *     const result = await callTool(service, {}, {
 *       signedInAs: { sub: 'ada' },
 *       upstream: { 'GET /accounts/{id}': { owner: 'Ada', … } },
 *     })
 *     expect(result.structuredContent).toEqual({ … })
 */

import {
  type CallToolResult,
  type InputRequiredResult,
  isInputRequiredResult,
} from '@modelcontextprotocol/server'
import { auditCall, type CarriedState, type ToolCall } from '../engine/call.ts'
import { compileTool } from '../engine/compile-tool.ts'
import type { Account } from '../engine/context.ts'
import { type AnyTool, loginsOf } from '../engine/define-tool.ts'
import type { Env } from '../engine/env.ts'
import { runTool } from '../engine/run-tool.ts'
import { ERROR_META_KEY, type ToolErrorFacts } from '../engine/tool-error.ts'
import type { ArgumentsMode } from '../engine/validate-input.ts'
import type { TextFormat } from '../output/text.ts'
import type { RateLimits } from '../store/rate-limits.ts'
import { type FakeTeam, fakeCaller, fakeTeam } from './fake-team.ts'
import { MOST_ROUNDS, type PersonsAction, type PersonsAnswer } from './persons-answers.ts'
import { type Line, recordingLogger } from './recording-logger.ts'
import { telemetry } from './telemetry.ts'
import { QUIET, quietClient } from './tool-client.ts'
import { openToolSession, type ToolSessionState } from './tool-session.ts'
import {
  createFakeUpstreams,
  type UpstreamAnswers,
  type UpstreamRequest,
  upstreamNames,
} from './tool-upstream.ts'

export interface CallToolOptions<E extends Env = Env> extends FakeTeam<E> {
  /** Who has signed in upstream; nobody if left out. */
  readonly signedInAs?: Account
  /** Who has signed in at further upstreams, by name. */
  readonly signedInAt?: Readonly<Record<string, Account>>
  /** Values the session holds already, by name. */
  readonly sessionData?: Readonly<Record<string, unknown>>
  /** What the upstream API answers, by method and route. */
  readonly upstream?: UpstreamAnswers
  /** Scopes of the caller's token; a caller without a token if left out. */
  readonly scopes?: readonly string[]
  /** What the user does when the client opens a sign-in URL; a client that cannot if left out. */
  readonly opensUrl?: PersonsAction
  /** What people say when the tool asks, by the question's name. */
  readonly answers?: Readonly<Record<string, PersonsAnswer>>
  readonly signal?: AbortSignal
  /** Told of progress as it comes; the result has all of it too. */
  readonly onProgress?: (progress: Progress) => void | Promise<void>
  /** What counts the calls of a tool that has a limit; nothing if left out. */
  readonly rateLimits?: RateLimits
  /** `json` if left out. */
  readonly textFormat?: TextFormat
  /** Whether arguments are rewritten where they do not fit; `lenient` if left out, as in the server. */
  readonly arguments?: ArgumentsMode
  /** For tools that set no time of their own; 10 if left out. */
  readonly timeoutSeconds?: number
}

export interface Progress {
  readonly done: number
  readonly total?: number | undefined
  readonly message?: string | undefined
}

export interface ToolRun {
  readonly structuredContent: Readonly<Record<string, unknown>> | undefined
  /** `_meta` of the result; an error's facts are `code` and `retryAfterSeconds`. */
  readonly meta: Readonly<Record<string, unknown>>
  /** What the model reads, part by part: of a content tool all that it answered. */
  readonly content: CallToolResult['content']
  /** The texts of `content`, one below the other. */
  readonly text: string
  readonly isError: boolean
  /** The error's code; undefined for a call that worked. */
  readonly code: string | undefined
  /** When to try again, where the error says. */
  readonly retryAfterSeconds: number | undefined
  /** Everything the call logged. */
  readonly log: readonly Line[]
  readonly progress: readonly Progress[]
  /** What the tool asked of the upstream API. */
  readonly requests: readonly UpstreamRequest[]
  /** URLs the client was asked to open. */
  readonly openedUrls: readonly string[]
  /** What the people at the client were asked, in the words they saw. */
  readonly questions: readonly string[]
  /** All else that the client was told: log lines, changes, and whole questions. */
  readonly told: readonly unknown[]
  /** The session as the call left it. */
  readonly session: ToolSessionState
}

/**
 * Calls a tool as the server does.
 * @throws Error when the tool makes an upstream request that `options.upstream` has no answer for
 */
export async function callTool<E extends Env>(
  tool: AnyTool<E>,
  input: Readonly<Record<string, unknown>>,
  options: CallToolOptions<NoInfer<E>> = {},
): Promise<ToolRun> {
  const { textFormat = 'json', timeoutSeconds = 10 } = options
  const compiled = compileTool(tool as AnyTool)
  const own = await openToolSession({ ...options, upstreams: namesOf(tool, options) })
  const upstream = createFakeUpstreams(options.upstream)
  const { log, lines } = recordingLogger()
  const progress: Progress[] = []
  const openedUrls: string[] = []
  const questions: string[] = []
  const told: unknown[] = []

  const call: ToolCall = {
    name: tool.name,
    arguments: input,
    ...fakeCaller(options),
    async count(rate) {
      const counting = { limit: 'tool', who: tool.name, rate }
      const [standing] = (await options.rateLimits?.count([counting])) ?? []
      return standing
    },
    openSession: async () => own.session,
    upstreamFor: (_session, onAnswer, limit) => upstream.forCall(onAnswer, limit),
    client: {
      ...quietClient({
        openUrls: options.opensUrl !== undefined,
        fillForms: options.answers !== undefined,
      }),
      log: async (level, data) => void told.push({ level, data }),
    },
    announce: { ...QUIET, resourceUpdated: (uri) => void told.push({ uri }) },
    responses: {},
    carried: undefined,
    carry: withRound,
    signal: options.signal ?? new AbortController().signal,
    async progress(done, total, message) {
      progress.push({ done, total, message })
      await options.onProgress?.({ done, total, message })
    },
    log,
    audit: (entry) => auditCall(log, entry),
  }

  try {
    const team = fakeTeam(tool, options)
    const mode = options.arguments ?? 'lenient'
    const settings = { textFormat, timeoutSeconds, team, arguments: mode }
    let result = await runTool(compiled, call, settings, telemetry)
    for (let round = 0; isInputRequiredResult(result) && round < MOST_ROUNDS; round += 1) {
      told.push(result.inputRequests)
      const carried = JSON.parse(result.requestState ?? '{}')
      const responses = answersTo(result, options, { openedUrls, questions })
      if (responses.sign_in?.action === 'accept') await own.signIn(carried.signInAt)
      result = await runTool(compiled, { ...call, carried, responses }, settings, telemetry)
    }
    if (isInputRequiredResult(result)) throw new Error('The tool still waits for an answer')
    upstream.refuseUnanswered()
    return {
      ...answered(result),
      log: lines(),
      progress,
      requests: upstream.requests,
      openedUrls,
      questions,
      told,
      session: await own.state(),
    }
  } finally {
    await own.close()
  }
}

/** What a call came to, in parts. */
function answered({ structuredContent, content, isError = false, _meta = {} }: CallToolResult) {
  const { [ERROR_META_KEY]: error, ...meta } = _meta
  const facts = isError ? (error as Partial<ToolErrorFacts> | undefined) : undefined
  return {
    structuredContent: structuredContent as ToolRun['structuredContent'],
    content,
    meta,
    text: content.map((part) => ('text' in part ? part.text : '')).join('\n'),
    isError,
    code: facts?.code,
    retryAfterSeconds: facts?.retryAfterSeconds,
  }
}

/** The upstreams besides the first: those that the tool needs, and those that have answers. */
function namesOf<E extends Env>({ requires }: AnyTool<E>, { upstream }: CallToolOptions<E>) {
  return [...loginsOf(requires), ...upstreamNames(upstream)]
}

function withRound(this: Pick<ToolCall, 'carried'>, state: CarriedState): string {
  return JSON.stringify({ ...state, round: (this.carried?.round ?? 1) + 1 })
}

/** What the people at the client say to what a tool asks in one round; notes what they saw. */
function answersTo(
  { inputRequests = {} }: InputRequiredResult,
  { answers, opensUrl = 'cancel' }: CallToolOptions,
  seen: { readonly openedUrls: string[]; readonly questions: string[] },
): Readonly<Record<string, PersonsAnswer>> {
  const given = Object.entries(inputRequests).map(([name, { params }]) => {
    if (params !== undefined && 'url' in params) seen.openedUrls.push(String(params.url))
    if (params !== undefined && 'message' in params) seen.questions.push(String(params.message))
    return [name, answers?.[name] ?? { action: opensUrl }] as const
  })
  return Object.fromEntries(given)
}
