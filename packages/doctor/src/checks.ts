/** Every check, in order. Later checks use the facts of earlier ones. */

import { authMethods } from './checks/auth-methods.ts'
import { authorizeRequests } from './checks/authorize-requests.ts'
import { bodies } from './checks/bodies.ts'
import { challenge } from './checks/challenge.ts'
import { clients } from './checks/clients.ts'
import { codes } from './checks/codes.ts'
import { documents } from './checks/documents.ts'
import { evilRedirects } from './checks/evil-redirects.ts'
import { exposure } from './checks/exposure.ts'
import { health } from './checks/health.ts'
import { hopping } from './checks/hopping.ts'
import { hosts } from './checks/hosts.ts'
import { nodesAgree } from './checks/nodes-agree.ts'
import { pagesOfOthers } from './checks/pages-of-others.ts'
import { refreshing } from './checks/refreshing.ts'
import { registration } from './checks/registration.ts'
import { resources } from './checks/resources.ts'
import { revocation } from './checks/revocation.ts'
import { serverMetadata } from './checks/server-metadata.ts'
import { signIn } from './checks/sign-in.ts'
import { streams } from './checks/streams.ts'
import { tools } from './checks/tools.ts'
import { transportSecurity } from './checks/transport-security.ts'
import { upstreamSignIn } from './checks/upstream-sign-in.ts'
import { wellKnownPaths } from './checks/well-known.ts'
import type { Check } from './visit.ts'

export const CHECKS: readonly Check[] = [
  // Discovery.
  health,
  challenge,
  resources,
  serverMetadata,
  wellKnownPaths,
  // Proxies and load balancers.
  hosts,
  transportSecurity,
  pagesOfOthers,
  exposure,
  bodies,
  // Client authorization.
  registration,
  nodesAgree,
  clients,
  evilRedirects,
  documents,
  authMethods,
  authorizeRequests,
  codes,
  signIn,
  // Calls with an access token.
  tools,
  hopping,
  upstreamSignIn,
  refreshing,
  streams,
  revocation,
]
