/** The paths of the demo, below the address of the server. */

/** The demo's identity provider. */
export const DEMO_PROVIDER_PATH = '/demo/idp'

/** The demo's API, a bank that stands in for an external server. */
export const DEMO_API_PATH = '/demo/api'
