/** URI schemes that lead to no app. */

/** They run, read or open things instead of telling an app: people are never sent there by them. */
export const UNSAFE_SCHEMES: ReadonlySet<string> = new Set(
  `about blob chrome content data file filesystem ftp http intent jar javascript mailto resource sms
  tel vbscript view-source ws wss`.split(/\s+/),
)
