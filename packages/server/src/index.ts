/** What a project imports as `@mcp-template/server`. */

export {
  type Branding,
  defineServer,
  type ServerDefinition,
  ServerDefinitionError,
} from './define-server.ts'
export * from './engine/index.ts'
