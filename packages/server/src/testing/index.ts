/** What the tests of a project import as `@mcp-template/server/testing`. */

export type { FakeTeam } from './fake-team.ts'
export type { Page } from './form-browser.ts'
export { type GetPromptOptions, getPrompt, type RenderedPrompt } from './get-prompt.ts'
export { expectNoLeak } from './leaks.ts'
export type { Progress } from './person-runner.ts'
export type { PersonsAction, PersonsAnswer } from './persons-answers.ts'
export { type ReadResourceOptions, type ResourceRead, readResource } from './read-resource.ts'
export type { Line } from './recording-logger.ts'
export { startTestServer, type TestServer, type TestServerOptions } from './test-server.ts'
export { type CallToolOptions, callTool, type ToolRun } from './tool-runner.ts'
export type { ToolSessionState } from './tool-session.ts'
export type { UpstreamAnswer, UpstreamAnswers, UpstreamRequest } from './tool-upstream.ts'
