/**
 * Runs one tool call. A failure is a tool result with `isError`, which the model can act on. Callers
 * with neither token nor MCP session name their session in the argument `session`.
 */

import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server'
import { learnArguments } from '../output/hide-arguments.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Span } from '../telemetry/tracing.ts'
import type { CallSession, ToolCall } from './call.ts'
import { type CompiledTool, SESSION_ARGUMENT } from './compile-tool.ts'
import { RunContext } from './run-context.ts'
import { PersonRun } from './run-for-person.ts'
import type { RunSettings } from './run-settings.ts'
import { type Explanation, ToolError, toolErrorResult } from './tool-error.ts'
import { hookOutcomeOf, toResult } from './tool-result.ts'

export type ToolOutcome = CallToolResult | InputRequiredResult

/** @throws AppError `unavailable` when the store is unavailable, which no model could act on */
export function runTool(
  tool: CompiledTool,
  call: ToolCall,
  settings: RunSettings,
  telemetry: Telemetry,
): Promise<ToolOutcome> {
  const span = telemetry.tracing?.start(toolSpan(tool.definition.name, call.meta))
  const run = new ToolRun(tool, call, settings, telemetry, span)
  telemetry.metrics.toolStarted()
  return run.start()
}

/** OpenTelemetry, semantic conventions for MCP, "Server". */
function toolSpan(name: string, carrier: object | undefined) {
  const attributes = {
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': name,
  }
  return { name: `tools/call ${name}`, kind: 'server', attributes, carrier } as const
}

class ToolRun extends PersonRun<CallToolResult> {
  readonly #tool: CompiledTool

  constructor(
    tool: CompiledTool,
    call: ToolCall,
    settings: RunSettings,
    telemetry: Telemetry,
    span: Span | undefined,
  ) {
    super('tool', tool.definition, tool.masks.all, call, settings, telemetry, span)
    this.#tool = tool
  }

  /** The redactor learns masked values, also those that the schema has transformed. */
  protected override validate() {
    const { parseInput, masks } = this.#tool
    const given = ownArguments(this.call.arguments)
    const input = parseInput(given, this, this.settings.arguments)
    if (masks.input.size > 0) learnArguments(this.redactor, input, given)
    return input
  }

  protected override sessionHandle() {
    return namedSession(this.call)
  }

  protected override run() {
    return this.#tool.definition.run(new RunContext(this))
  }

  protected override resultOf(answer: unknown): CallToolResult {
    return this.#named(toResult(this.#tool, answer, this, this.settings.textFormat))
  }

  /** Adds the handle of a session that the call opened. */
  #named(result: CallToolResult): CallToolResult {
    return this.opening === undefined ? result : withHandle(result, this.opening)
  }

  override shown(result: CallToolResult) {
    return hookOutcomeOf(result)
  }

  protected override get inputMasks() {
    return this.#tool.masks.input
  }

  protected override failed({ code, message, retryAfterSeconds }: Explanation): CallToolResult {
    return this.#named(toolErrorResult(code, message, retryAfterSeconds))
  }

  protected override ended(label: string, seconds: number): void {
    this.metrics.toolEnded(this.#tool.definition.name, label, seconds)
  }
}

/** The `_meta` key of the handle, in results and in requests of callers without a token. */
export const SESSION_META_KEY = 'mcp-template/session'

/** Removes the framework's argument: strict input would reject it, loose input would expose it. */
function ownArguments(given: ToolCall['arguments']): ToolCall['arguments'] {
  if (!Object.hasOwn(given, SESSION_ARGUMENT)) return given
  const { [SESSION_ARGUMENT]: _session, ...own } = given
  return own
}

/**
 * The session handle in a call. A handle that is not a string is rejected, rather than opening a
 * new session.
 * @throws ToolError `invalid_arguments`
 */
export function namedSession(call: ToolCall): string | undefined {
  const named = call.arguments[SESSION_ARGUMENT]
  if (named === undefined || typeof named === 'string') return named
  throw new ToolError(`Invalid arguments:\n"${SESSION_ARGUMENT}" must be a string.`, {
    code: 'invalid_arguments',
  })
}

/**
 * Adds the handle of a session that the call opened, for the model and for programs; the caller
 * needs it to resume the session. Returns the result unchanged if the session needs no handle.
 */
function withHandle(result: CallToolResult, session: CallSession): CallToolResult {
  const { handle } = session
  if (handle === undefined) return result
  const _meta = { ...result._meta, [SESSION_META_KEY]: handle }
  if (result.content.some((part) => part.type === 'text' && part.text.includes(handle))) {
    return { ...result, _meta }
  }
  const signedIn = session.state === 'authenticated' ? 'Signed in. ' : ''
  const text = `${signedIn}Pass "${SESSION_ARGUMENT}": "${handle}" in later calls.`
  return { ...result, content: [...result.content, { type: 'text', text }], _meta }
}
