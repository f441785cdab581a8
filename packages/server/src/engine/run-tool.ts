/** Runs one tool call. A failure is a tool result with `isError`, so that the model can act on it. */

import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server'
import type { Redactor } from '../output/redactor.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Span } from '../telemetry/tracing.ts'
import type { CallSession, ToolCall } from './call.ts'
import { type CompiledTool, SESSION_ARGUMENT } from './compile-tool.ts'
import { type Run, RunContext } from './run-context.ts'
import { type Failure, PersonRun } from './run-for-person.ts'
import type { RunSettings } from './run-settings.ts'
import { ToolError, toolErrorResult } from './tool-error.ts'
import { hookOutcomeOf, toResult } from './tool-result.ts'

export type ToolSettings = RunSettings

export type ToolOutcome = CallToolResult | InputRequiredResult

/** @throws AppError `unavailable` when the store is away: nothing the model could act on */
export function runTool(
  tool: CompiledTool,
  call: ToolCall,
  settings: ToolSettings,
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
    settings: ToolSettings,
    telemetry: Telemetry,
    span: Span | undefined,
  ) {
    super('tool', tool.definition, tool.masks.all, call, settings, telemetry, span)
    this.#tool = tool
  }

  protected override validate() {
    return validateInput(this.#tool, this.call, this.redactor)
  }

  protected override sessionHandle() {
    return namedSession(this.call)
  }

  protected override run(input: Record<string, unknown>, run: Run) {
    return this.#tool.definition.run(new RunContext(input, run))
  }

  protected override resultOf(
    answer: unknown,
    input: Record<string, unknown>,
    session: CallSession,
  ): CallToolResult {
    const { call, settings } = this
    const result = toResult(this.#tool, call.arguments, input, answer, settings.textFormat)
    if (call.carried?.session !== undefined && session.handle !== undefined) {
      const text = `Signed in. Pass "${SESSION_ARGUMENT}": "${session.handle}" in later calls.`
      result.content.push({ type: 'text', text })
    }
    return result
  }

  protected override shown(result: CallToolResult) {
    return hookOutcomeOf(result)
  }

  protected override get inputMasks() {
    return this.#tool.masks.input
  }

  protected override failed({ code, message, retryAfterSeconds }: Failure): CallToolResult {
    return toolErrorResult(code, message, retryAfterSeconds)
  }

  protected override ended(label: string, seconds: number): void {
    this.metrics.toolEnded(this.#tool.definition.name, label, seconds)
  }
}

/** What is masked of the arguments is known first, so that not even a refusal repeats it. */
function validateInput(
  { parseInput, masks }: CompiledTool,
  call: ToolCall,
  redactor: Redactor,
): Record<string, unknown> {
  const given = ownArguments(call.arguments)
  if (masks.input.size === 0) return parseInput(given, redactor)
  redactor.learn(given)
  const input = parseInput(given, redactor)
  redactor.learn(input)
  return input
}

/** The handle is ours, not the tool's: a strict input would refuse it, a loose one would see it. */
function ownArguments(given: ToolCall['arguments']): ToolCall['arguments'] {
  if (!Object.hasOwn(given, SESSION_ARGUMENT)) return given
  const { [SESSION_ARGUMENT]: _session, ...own } = given
  return own
}

/** A handle that is no text is a mistake, which must not open a session of its own. */
function namedSession(call: ToolCall): string | undefined {
  const named = call.arguments[SESSION_ARGUMENT]
  if (named === undefined || typeof named === 'string') return named
  throw new ToolError(`Invalid arguments:\n"${SESSION_ARGUMENT}" must be a string.`, {
    code: 'invalid_arguments',
  })
}
