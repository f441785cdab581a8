/** A logger whose lines a test can read, raw and parsed. */

export { recordingLogger } from '../../src/testing/recording-logger.ts'
