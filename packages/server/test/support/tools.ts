/** For tests of tools: runs one through the real engine and a real session, without a server. */

export * from '../../src/testing/index.ts'
