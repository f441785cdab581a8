/** What the tests of a project import as `@mcp-template/server/testing`. */

export { expectNoLeak } from './leaks.ts'
export type { Line } from './recording-logger.ts'
export {
  type CallToolOptions,
  callTool,
  type PersonsAnswer,
  type Progress,
  type ToolRun,
} from './tool-runner.ts'
export type { ToolSessionState } from './tool-session.ts'
export type { UpstreamAnswer, UpstreamAnswers, UpstreamRequest } from './tool-upstream.ts'
