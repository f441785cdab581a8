/** Where the drivers write what an operator should know. */

export interface StoreLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
