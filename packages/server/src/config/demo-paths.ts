/** Where the demo is mounted, below the address of the server. */

/** Its identity provider. */
export const DEMO_PROVIDER_PATH = '/demo/idp'

/** Its API, a bank that stands in for another server. */
export const DEMO_API_PATH = '/demo/api'
