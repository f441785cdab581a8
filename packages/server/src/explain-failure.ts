/** Explains to the operator why a server cannot start. */

import { ConfigError } from './config.ts'
import { DiscoveryError } from './engine/discover.ts'
import { ServiceError } from './engine/open-services.ts'
import { TypeScriptError } from './process/typescript.ts'
import { ProjectError } from './project.ts'

/** The message alone for faults of project, configuration and machine; a stack for our own bugs. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (FAULTS_OF_PROJECTS.some((kind) => error instanceof kind)) return error.message
  // For a port in use or a file that is not writable, the system's message names it.
  return 'syscall' in error ? `Cannot start: ${error.message}` : String(error.stack)
}

const FAULTS_OF_PROJECTS = [
  ConfigError,
  DiscoveryError,
  ProjectError,
  ServiceError,
  TypeScriptError,
]
