/** Real metrics for parts that are tested without a server. */

export { telemetry } from '../../src/testing/telemetry.ts'
