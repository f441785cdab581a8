/** The test runner interface of the contract suite, which Vitest and Jest implement. */

/** The assertions that the suite uses. */
export interface Checks {
  readonly not: Pick<Checks, 'toContain'>
  readonly rejects: { toThrow(error: new (message?: string) => Error): Promise<unknown> }
  toBe(expected: unknown): unknown
  toBeDefined(): unknown
  toBeGreaterThan(bound: number): unknown
  toBeGreaterThanOrEqual(bound: number): unknown
  toBeLessThan(bound: number): unknown
  toBeLessThanOrEqual(bound: number): unknown
  toBeUndefined(): unknown
  toContain(item: unknown): unknown
  toEqual(expected: unknown): unknown
  toHaveLength(length: number): unknown
  toMatchObject(expected: object): unknown
}

/** A test runner, passed in so that the package depends on none. */
export interface TestRunner {
  describe(title: string, body: () => void): unknown
  it(title: string, body: () => Promise<void>): unknown
  beforeAll(body: () => Promise<void>): unknown
  afterAll(body: () => Promise<void>): unknown
  /** `message` describes the value; a runner may ignore it. */
  expect(actual: unknown, message?: string): Checks
}
