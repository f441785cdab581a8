/** Runs something for a person in a test, through the real engine and a real session. */

import { type InputRequiredResult, isInputRequiredResult } from '@modelcontextprotocol/server'
import { auditCall, type CarriedState, type ToolCall } from '../engine/call.ts'
import type { Account } from '../engine/context.ts'
import { loginsOf, type ToolRequirements } from '../engine/define-tool.ts'
import type { Env } from '../engine/env.ts'
import type { RunSettings } from '../engine/run-settings.ts'
import type { ArgumentsMode } from '../engine/validate-input.ts'
import type { TextFormat } from '../output/text.ts'
import type { RateLimits } from '../store/rate-limits.ts'
import { type FakeTeam, fakeCaller, fakeTeam } from './fake-team.ts'
import { MOST_ROUNDS, type PersonsAction, type PersonsAnswer } from './persons-answers.ts'
import { type Line, recordingLogger } from './recording-logger.ts'
import { QUIET, quietClient } from './tool-client.ts'
import { openToolSession, type ToolSessionState } from './tool-session.ts'
import {
  createFakeUpstreams,
  type UpstreamAnswers,
  type UpstreamRequest,
  upstreamNames,
} from './tool-upstream.ts'

export interface PersonOptions<E extends Env = Env> extends FakeTeam<E> {
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
  /** What people say when they are asked, by the question's name. */
  readonly answers?: Readonly<Record<string, PersonsAnswer>>
  readonly signal?: AbortSignal
  /** Told of progress as it comes; the result has all of it too. */
  readonly onProgress?: (progress: Progress) => void | Promise<void>
  /** What counts the calls of what has a limit; nothing if left out. */
  readonly rateLimits?: RateLimits
  /** For what sets no time of its own; 10 if left out. */
  readonly timeoutSeconds?: number
}

/** What follows from a question that the test has no answer for: the person cancels, or the test fails. */
type Unanswered = 'cancels' | 'fails'

export interface Progress {
  readonly done: number
  readonly total?: number | undefined
  readonly message?: string | undefined
}

/** What happened besides the result. */
export interface PersonRunFacts {
  /** Everything that was logged. */
  readonly log: readonly Line[]
  readonly progress: readonly Progress[]
  /** What was asked of the upstream API. */
  readonly requests: readonly UpstreamRequest[]
  /** URLs the client was asked to open. */
  readonly openedUrls: readonly string[]
  /** What the people at the client were asked, in the words they saw. */
  readonly questions: readonly string[]
  /** All else that the client was told: log lines, changes, and whole questions. */
  readonly told: readonly unknown[]
  /** The session as the run left it. */
  readonly session: ToolSessionState
}

interface RunOptions {
  readonly textFormat?: TextFormat
  readonly arguments?: ArgumentsMode
}

type RunOne<Result> = (
  call: ToolCall,
  settings: RunSettings,
) => Promise<Result | InputRequiredResult>

/**
 * Runs round by round, until there is a result.
 * @throws Error for an upstream request that `options.upstream` has no answer for, and what `run` throws
 */
export async function runAsPerson<E extends Env, Result extends object>(
  declaration: { readonly name: string; readonly requires?: ToolRequirements },
  input: Readonly<Record<string, unknown>>,
  options: PersonOptions<E> & RunOptions,
  run: RunOne<Result>,
  unanswered: Unanswered = 'fails',
): Promise<PersonRunFacts & { readonly result: Result }> {
  const { textFormat = 'json', timeoutSeconds = 10 } = options
  // Besides the first: those that are needed, and those that have answers.
  const upstreams = [...loginsOf(declaration.requires), ...upstreamNames(options.upstream)]
  const own = await openToolSession({ ...options, upstreams })
  const upstream = createFakeUpstreams(options.upstream)
  const { log, lines } = recordingLogger()
  const progress: Progress[] = []
  const openedUrls: string[] = []
  const questions: string[] = []
  const told: unknown[] = []

  const call: ToolCall = {
    name: declaration.name,
    arguments: input,
    ...fakeCaller(options),
    async count(rate) {
      const counting = { limit: 'tool', who: declaration.name, rate }
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
    const { arguments: mode = 'lenient' } = options
    const team = fakeTeam(declaration, options)
    const settings = { textFormat, timeoutSeconds, team, arguments: mode }
    let result = await run(call, settings)
    for (let round = 0; isInputRequiredResult(result) && round < MOST_ROUNDS; round += 1) {
      told.push(result.inputRequests)
      const responses = answersTo(result, options, unanswered, { openedUrls, questions })
      const carried = JSON.parse(result.requestState ?? '{}')
      if (responses.sign_in?.action === 'accept') await own.signIn(carried.signInAt)
      result = await run({ ...call, carried, responses }, settings)
    }
    if (isInputRequiredResult(result)) {
      throw new Error(`${declaration.name} still waits for an answer`)
    }
    upstream.refuseUnanswered()
    const { requests } = upstream
    const session = await own.state()
    return { result, log: lines(), progress, requests, openedUrls, questions, told, session }
  } finally {
    await own.close()
  }
}

function withRound(this: Pick<ToolCall, 'carried'>, state: CarriedState): string {
  return JSON.stringify({ ...state, round: (this.carried?.round ?? 1) + 1 })
}

/** What the people at the client say to what is asked in one round; notes what they saw. */
function answersTo(
  { inputRequests = {} }: InputRequiredResult,
  { answers, opensUrl = 'cancel' }: Pick<PersonOptions, 'answers' | 'opensUrl'>,
  unanswered: Unanswered,
  seen: { readonly openedUrls: string[]; readonly questions: string[] },
): Readonly<Record<string, PersonsAnswer>> {
  const given = Object.entries(inputRequests).map(([name, { params }]) => {
    if (params !== undefined && 'url' in params) seen.openedUrls.push(String(params.url))
    if (params !== undefined && 'message' in params) seen.questions.push(String(params.message))
    const answer = answers?.[name]
    if (answer === undefined && name !== 'sign_in' && unanswered === 'fails') {
      throw new Error(`The test has no answer for: ${name}`)
    }
    return [name, answer ?? { action: opensUrl }] as const
  })
  return Object.fromEntries(given)
}
