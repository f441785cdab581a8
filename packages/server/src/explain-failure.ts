/** Why a server cannot start, in words for whoever started it. */

import { ConfigError } from './config.ts'
import { DiscoveryError } from './engine/discover.ts'
import { ServiceError } from './engine/open-services.ts'
import { ProjectError } from './project.ts'

/** Faults of the project, its configuration and the machine in words; ours with a stack. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (FAULTS_OF_PROJECTS.some((kind) => error instanceof kind)) return error.message
  // A port in use, a file that cannot be written: the system's message says which.
  return 'syscall' in error ? `Cannot start: ${error.message}` : String(error.stack)
}

const FAULTS_OF_PROJECTS = [ConfigError, DiscoveryError, ProjectError, ServiceError]
