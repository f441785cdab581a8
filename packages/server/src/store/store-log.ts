/** The log of the drivers. */

export interface StoreLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
