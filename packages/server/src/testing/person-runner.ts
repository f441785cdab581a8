/** Runs a declaration for a simulated user, through the real engine and a real session. */

import {
  type InputRequiredResult,
  isInputRequiredResult,
  ProtocolError,
} from '@modelcontextprotocol/server'
import { auditCall, type RequestStateContent, type ToolCall } from '../engine/call.ts'
import { loginsOf } from '../engine/define-tool.ts'
import type { Env } from '../engine/env.ts'
import type { RunSettings } from '../engine/run-settings.ts'
import type { Account } from '../engine/tool-context.ts'
import type { TextFormat } from '../engine/tool-result.ts'
import type { ArgumentsMode } from '../engine/validate-input.ts'
import { type Declared, isVisible } from '../engine/visibility.ts'
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
  /** The upstream account that has signed in; none by default. */
  readonly signedInAs?: Account
  /** The accounts that have signed in at additional upstreams, by name. */
  readonly signedInAt?: Readonly<Record<string, Account>>
  /** Initial session values, by name. */
  readonly sessionData?: Readonly<Record<string, unknown>>
  /** The upstream API's answers, by method and route. */
  readonly upstream?: UpstreamAnswers
  /** Scopes of the caller's token; by default the caller has no token. */
  readonly scopes?: readonly string[]
  /**
   * The user's action when the client opens a sign-in URL; by default the client cannot open URLs.
   */
  readonly opensUrl?: PersonsAction
  /** The user's answers to elicitations, by the question's name. */
  readonly answers?: Readonly<Record<string, PersonsAnswer>>
  readonly signal?: AbortSignal
  /** Called for each progress notification; the result has all of them too. */
  readonly onProgress?: (progress: Progress) => void | Promise<void>
  /** Rate limits of the calls; none by default. */
  readonly rateLimits?: RateLimits
  /** The time limit of declarations that set none; 10 by default. */
  readonly timeoutSeconds?: number
}

/** What happens on a question without an answer: the user cancels, or the test fails. */
type Unanswered = 'cancels' | 'fails'

export interface Progress {
  readonly done: number
  readonly total?: number | undefined
  readonly message?: string | undefined
}

/** The side effects of a run. */
export interface PersonRunFacts {
  /** All log lines. */
  readonly log: readonly Line[]
  readonly progress: readonly Progress[]
  /** All requests to the upstream API. */
  readonly requests: readonly UpstreamRequest[]
  /** URLs the client was asked to open. */
  readonly openedUrls: readonly string[]
  /** The questions to the user, in the words that the client displays. */
  readonly questions: readonly string[]
  /** All other messages to the client: log lines, changes, and complete elicitations. */
  readonly told: readonly unknown[]
  /** The session after the run. */
  readonly session: ToolSessionState
}

interface RunOptions {
  readonly textFormat?: TextFormat
  readonly arguments?: ArgumentsMode
}

interface RunOne<Result> {
  run(call: ToolCall, settings: RunSettings): Promise<Result | InputRequiredResult>
  /** What a client gets for a declaration that it may not see; `cause` is what `visible` threw. */
  unknown(cause: unknown): Result
  readonly unanswered?: Unanswered
}

/**
 * Repeats the `input_required` rounds until there is a result.
 * @throws Error for an upstream request without an answer in `options.upstream`, and what `run` and
 * `unknown` throw
 */
export async function runAsPerson<E extends Env, Result extends object>(
  declaration: Declared,
  input: Readonly<Record<string, unknown>>,
  options: PersonOptions<E> & RunOptions,
  { run, unknown, unanswered = 'fails' }: RunOne<Result>,
): Promise<PersonRunFacts & { readonly result: Result }> {
  const { textFormat = 'json', timeoutSeconds = 10, arguments: mode = 'lenient' } = options
  // The additional upstreams: the required ones, and those with answers.
  const upstreams = [...loginsOf(declaration.requires), ...upstreamNames(options.upstream)]
  const { signedInAs, sessionData, signedInAt } = options
  const own = await openToolSession({ signedInAs, sessionData, signedInAt, upstreams })
  const upstream = createFakeUpstreams(options.upstream)
  const { call, lines, progress, told } = recordedCall(declaration, input, options, {
    openSession: async () => own.session,
    upstreamFor: (_session, onAnswer, limit) => upstream.forCall(onAnswer, limit),
  })
  const openedUrls: string[] = []
  const questions: string[] = []

  try {
    const team = fakeTeam(declaration, options)
    const settings = { textFormat, timeoutSeconds, team, arguments: mode }
    let result = isVisible(team, declaration, call.caller, call.log)
      ? await run(call, settings)
      : unknown(lines().find(({ msg }) => msg === 'visible failed')?.err)
    for (let round = 0; isInputRequiredResult(result) && round < MOST_ROUNDS; round += 1) {
      told.push(result.inputRequests)
      const responses = answersTo(result, options, unanswered, { openedUrls, questions })
      const requestState = JSON.parse(result.requestState ?? '{}')
      if (responses.sign_in?.action === 'accept') await own.signIn(requestState.signInAt)
      result = await run({ ...call, requestState, responses }, settings)
    }
    if (isInputRequiredResult(result)) {
      throw new Error(`${declaration.name} is waiting for an answer`)
    }
    upstream.refuseUnanswered()
    const { requests } = upstream
    const session = await own.state()
    return { result, log: lines(), progress, requests, openedUrls, questions, told, session }
  } catch (error) {
    throw withLogged(error, lines())
  } finally {
    await own.close()
  }
}

/** Adds the logged error as the `cause`: a client, and so a test, sees nothing of it. */
function withLogged(error: unknown, lines: readonly Line[]): unknown {
  const logged = lines.findLast(({ err }) => err !== undefined)?.err
  const isHidden = error instanceof ProtocolError && error.cause === undefined
  return isHidden && logged !== undefined ? Object.assign(error, { cause: logged }) : error
}

/** A call that records its log lines, its progress, and the other messages to the client. */
function recordedCall<E extends Env>(
  { name }: Declared,
  input: Readonly<Record<string, unknown>>,
  options: PersonOptions<E>,
  access: Pick<ToolCall, 'openSession' | 'upstreamFor'>,
) {
  const { log, lines } = recordingLogger()
  const progress: Progress[] = []
  const told: unknown[] = []
  const client = quietClient({
    openUrls: options.opensUrl !== undefined,
    fillForms: options.answers !== undefined,
  })
  const call: ToolCall = {
    name,
    arguments: input,
    ...fakeCaller(options),
    async count(rate) {
      const counting = { limit: 'tool', who: name, rate }
      const [standing] = (await options.rateLimits?.count([counting])) ?? []
      return standing
    },
    ...access,
    client: { ...client, log: async (level, data) => void told.push({ level, data }) },
    announce: { ...QUIET, resourceUpdated: (uri) => void told.push({ uri }) },
    responses: {},
    requestState: undefined,
    sealRequestState: withRound,
    signal: options.signal ?? new AbortController().signal,
    async progress(done, total, message) {
      progress.push({ done, total, message })
      await options.onProgress?.({ done, total, message })
    },
    log,
    audit: (entry) => auditCall(log, entry),
  }
  return { call, lines, progress, told }
}

function withRound(this: Pick<ToolCall, 'requestState'>, state: RequestStateContent): string {
  return JSON.stringify({ ...state, round: (this.requestState?.round ?? 1) + 1 })
}

/** The user's answers to the questions of one round; records the displayed questions. */
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
