/** URI schemes that are forbidden in redirect URIs. */

/**
 * They execute code, read files or open other programs instead of an app: redirects never use them.
 */
export const UNSAFE_SCHEMES: ReadonlySet<string> = new Set(
  `about blob chrome content data file filesystem ftp http intent jar javascript mailto resource sms
  tel vbscript view-source ws wss`.split(/\s+/),
)
