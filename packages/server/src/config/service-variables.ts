/** The variables of service accounts: credentials at upstreams for callers without a person. */

import { facts } from './facts.ts'
import { oneOf, pattern, text, words } from './values.ts'

export const serviceVariables = {
  UPSTREAM_SERVICE: oneOf('none', 'api_key', 'client_credentials').default('none').register(facts, {
    what: 'How this server calls the API for a client without a person (`caller.kind` is `client`): with UPSTREAM_SERVICE_KEY or UPSTREAM_API_KEY (`api_key`), with an access token of its own from the identity provider (`client_credentials`), or without credentials (`none`): tools that require a sign-in then fail for such clients. See [machines](machines.md#the-upstream-api).',
  }),
  UPSTREAM_SERVICE_KEY: pattern(/^[\x21-\x7e]+$/, 'visible ASCII characters')
    .optional()
    .register(facts, {
      what: "With UPSTREAM_SERVICE=api_key: a key sent instead of a person's access token or pasted key. Without one, only UPSTREAM_API_KEY is sent.",
      secret: true,
    }),
  UPSTREAM_SERVICE_SCOPES: words('scopes separated by spaces').optional().register(facts, {
    what: 'With UPSTREAM_SERVICE=client_credentials: the requested scopes.',
    defaultText: 'none',
  }),
  UPSTREAM_SERVICE_CLIENT_ID: text('the client id').optional().register(facts, {
    what: 'With UPSTREAM_SERVICE=client_credentials: the client id of the service account.',
    defaultText: 'UPSTREAM_CLIENT_ID',
  }),
  UPSTREAM_SERVICE_CLIENT_SECRET: text('the client secret').optional().register(facts, {
    what: 'The client secret of UPSTREAM_SERVICE_CLIENT_ID.',
    secret: true,
    defaultText: 'the secret or key of UPSTREAM_CLIENT_ID',
  }),
}
