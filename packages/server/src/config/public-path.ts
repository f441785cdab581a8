/** The path that the server is reached below, where `PUBLIC_URL` has one. */

/** Without a slash at its end; empty for a whole origin. */
export function basePathOf(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/\/$/, '')
}
