/** Runs resource reads and prompts. Failures are protocol errors (JSON-RPC). */

import {
  type GetPromptResult,
  type InputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
} from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import type { MaskRule } from '../output/mask.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Span } from '../telemetry/tracing.ts'
import type { ToolCall } from './call.ts'
import type { CompiledPrompt } from './compile-prompt.ts'
import type { CompiledResource } from './compile-resource.ts'
import type { CompleteContext } from './complete.ts'
import { checkMessages } from './content-blocks.ts'
import type { PromptText } from './define-prompt.ts'
import type { ResourceRequest } from './define-resource.ts'
import type { FoundResource, Variables } from './find-resource.ts'
import { toResourceResult } from './resource-result.ts'
import { type Run, RunContext } from './run-context.ts'
import { PersonRun } from './run-for-person.ts'
import type { RunSettings } from './run-settings.ts'
import { SESSION_META_KEY } from './run-tool.ts'
import { scrubProtocolError } from './scrub-value.ts'
import { type Explanation, ToolError } from './tool-error.ts'
import { checkResultSize } from './tool-result.ts'

type Input = Record<string, unknown>

const NO_MASKS: ReadonlyMap<string, MaskRule> = new Map()

/** @throws ProtocolError, AppError */
export function runRead(
  found: FoundResource<CompiledResource>,
  call: ToolCall,
  settings: RunSettings,
  telemetry: Telemetry,
): Promise<ReadResourceResult | InputRequiredResult> {
  const span = startSpan('resources/read', found.resource.name, {}, call, telemetry)
  const run = new ResourceRun(found, call, settings, telemetry, span)
  return run.start()
}

/** @throws ProtocolError, AppError */
export function runPrompt(
  prompt: CompiledPrompt,
  call: ToolCall,
  settings: RunSettings,
  telemetry: Telemetry,
): Promise<GetPromptResult | InputRequiredResult> {
  const { name } = prompt.definition
  const span = startSpan('prompts/get', name, { 'gen_ai.prompt.name': name }, call, telemetry)
  const run = new PromptRun(prompt, call, settings, telemetry, span)
  return run.start()
}

/** OpenTelemetry, semantic conventions for MCP, "Server". Omits the URI, which may hold secrets. */
function startSpan(
  method: string,
  name: string,
  further: Readonly<Record<string, string>>,
  { meta: carrier }: ToolCall,
  { tracing }: Telemetry,
): Span | undefined {
  const attributes = { 'mcp.method.name': method, ...further }
  return tracing?.start({ name: `${method} ${name}`, kind: 'server', attributes, carrier })
}

/** A run whose failures are protocol errors. */
export abstract class ProtocolRun<
  Result extends { _meta?: object | undefined },
> extends PersonRun<Result> {
  protected abstract contentOf(answer: unknown): Result

  protected override sessionHandle(): string | undefined {
    const named = (this.call.meta as Input | undefined)?.[SESSION_META_KEY]
    if (named === undefined || typeof named === 'string') return named
    throw new ToolError(`"${SESSION_META_KEY}" must be a string.`, { code: 'invalid_arguments' })
  }

  protected override resultOf(answer: unknown): Result {
    const result = this.contentOf(answer)
    const { handle } = this.session
    const isNew = handle !== undefined && handle !== this.sessionHandle()
    return isNew ? { ...result, _meta: { ...result._meta, [SESSION_META_KEY]: handle } } : result
  }

  protected override explain(error: unknown): Explanation {
    // The project's own protocol error: its message reaches the caller.
    if (!(error instanceof ProtocolError)) return super.explain(error)
    const isNotFound = error instanceof ResourceNotFoundError
    const code = isNotFound ? 'not_found' : 'protocol_error'
    return { code, message: error.message, unexpected: false }
  }

  protected override failed(failure: Explanation, cause: unknown): never {
    if (cause instanceof AppError) throw cause
    if (cause instanceof ProtocolError) throw scrubProtocolError(cause, this.redactor)
    const { code, message, unexpected, retryAfterSeconds } = failure
    const rpcCode =
      code === 'invalid_arguments'
        ? ProtocolErrorCode.InvalidParams
        : ProtocolErrorCode.InternalError
    throw new ProtocolError(rpcCode, unexpected ? 'Something went wrong.' : message, {
      code,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    })
  }
}

class ResourceRun extends ProtocolRun<ReadResourceResult> {
  readonly #found: FoundResource<CompiledResource>

  constructor(
    found: FoundResource<CompiledResource>,
    call: ToolCall,
    settings: RunSettings,
    telemetry: Telemetry,
    span: Span | undefined,
  ) {
    const { definition, masks } = found.resource
    super('resource', definition, masks, call, settings, telemetry, span)
    this.#found = found
  }

  protected override validate() {
    return this.#found.variables
  }

  protected override run() {
    const { resource, url, variables } = this.#found
    return resource.definition.read(new ReadContext(url, variables, this))
  }

  protected override get method() {
    return 'resources/read'
  }

  protected override get hookInput() {
    return { uri: this.#found.url.href, ...this.input }
  }

  override shown({ contents }: ReadResourceResult) {
    return { status: 'ok', content: contents } as const
  }

  protected override get inputMasks() {
    return NO_MASKS
  }

  protected override contentOf(answer: unknown) {
    const result = toResourceResult(this.#found.resource, this.#found.url.href, answer)
    checkResultSize(result.contents, this.settings.resultLimitBytes)
    return result
  }

  protected override ended(label: string, seconds: number): void {
    this.metrics.readEnded(this.#found.resource.name, label, seconds)
  }
}

class PromptRun extends ProtocolRun<GetPromptResult> {
  readonly #prompt: CompiledPrompt

  constructor(
    prompt: CompiledPrompt,
    call: ToolCall,
    settings: RunSettings,
    telemetry: Telemetry,
    span: Span | undefined,
  ) {
    super('prompt', prompt.definition, prompt.masks, call, settings, telemetry, span)
    this.#prompt = prompt
  }

  protected override get method() {
    return 'prompts/get'
  }

  protected override validate() {
    const { redactor, call } = this
    redactor.learn(call.arguments)
    const input = this.#prompt.parseInput(call.arguments, this)
    redactor.learn(input)
    return input
  }

  protected override run() {
    return this.#prompt.definition.render(this.input, new RunContext(this))
  }

  override shown({ messages }: GetPromptResult) {
    return { status: 'ok', content: messages } as const
  }

  protected override get inputMasks() {
    return this.#prompt.masks
  }

  protected override contentOf(answer: unknown): GetPromptResult {
    const text = answer as PromptText
    const messages: GetPromptResult['messages'] =
      typeof text === 'string'
        ? [{ role: 'user', content: { type: 'text', text } }]
        : checkMessages(text)
    checkResultSize(messages, this.settings.resultLimitBytes)
    return { description: this.#prompt.definition.description, messages }
  }

  protected override ended(label: string, seconds: number): void {
    this.metrics.promptEnded(this.#prompt.definition.name, label, seconds)
  }
}

/** The context of a resource's `read`. */
class ReadContext extends RunContext implements ResourceRequest {
  readonly uri: URL
  readonly variables: Variables

  constructor(uri: URL, variables: Variables, run: Run) {
    super(run)
    this.uri = uri
    this.variables = variables
  }
}

/** The context of a completion for an argument or a variable. */
export class SuggestContext extends RunContext implements CompleteContext {
  readonly arguments: Readonly<Record<string, string>>

  constructor(given: Readonly<Record<string, string>>, run: Run) {
    super(run)
    this.arguments = given
  }
}
