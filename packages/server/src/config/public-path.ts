/** The base path of `PUBLIC_URL`. */

/** The path without a trailing slash; empty if `PUBLIC_URL` is an origin. */
export function basePathOf(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/\/$/, '')
}
