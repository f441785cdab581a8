/** Chooses how this server authenticates at the identity provider, and checks its prerequisites. */

import { belongsTo } from './client-key.ts'
import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import type { ConfiguredUpstream } from './shape.ts'
import type { UpstreamVariables } from './upstream-variables.ts'

type Credential = 'UPSTREAM_CLIENT_SECRET' | 'UPSTREAM_CLIENT_KEY' | 'UPSTREAM_CLIENT_CERT'

const SECRET = ['UPSTREAM_CLIENT_SECRET'] as const

/** What each method requires and what it accepts; every other variable conflicts with it. */
const METHODS: Readonly<
  Record<
    UpstreamVariables['UPSTREAM_CLIENT_AUTH'],
    { readonly needs: readonly Credential[]; readonly takes?: readonly Credential[] }
  >
> = {
  auto: { needs: [], takes: SECRET },
  basic: { needs: SECRET },
  'basic-raw': { needs: SECRET },
  post: { needs: SECRET },
  private_key_jwt: { needs: ['UPSTREAM_CLIENT_KEY'], takes: ['UPSTREAM_CLIENT_CERT'] },
  tls: { needs: ['UPSTREAM_CLIENT_CERT', 'UPSTREAM_CLIENT_KEY'] },
  none: { needs: [] },
}

type ClientAuthFields = Pick<ConfiguredUpstream, 'clientAuth' | 'clientKeyId' | 'clientCertificate'>

/** The result is valid only if no fault was added. */
export function chooseClientAuth(variables: UpstreamVariables, faults: Faults): ClientAuthFields {
  const { UPSTREAM_CLIENT_AUTH: method } = variables
  const { needs, takes = [] } = METHODS[method]
  for (const name of needs) {
    if (variables[name] === undefined) {
      faults.add(name, `is required by UPSTREAM_CLIENT_AUTH=${method}`)
    }
  }
  for (const name of [...SECRET, 'UPSTREAM_CLIENT_KEY', 'UPSTREAM_CLIENT_CERT'] as const) {
    if (variables[name] === undefined || [...needs, ...takes].includes(name)) continue
    faults.add(name, `conflicts with UPSTREAM_CLIENT_AUTH=${method}: ${usedBy(name)}`)
  }
  const { UPSTREAM_CLIENT_KEY: key, UPSTREAM_CLIENT_CERT: certificate } = variables
  const { UPSTREAM_CLIENT_KEY_ID: keyId = key?.keyId } = variables
  if (variables.UPSTREAM_CLIENT_KEY_ID !== undefined && method !== 'private_key_jwt') {
    faults.add('UPSTREAM_CLIENT_KEY_ID', 'requires UPSTREAM_CLIENT_AUTH=private_key_jwt')
  }
  if (certificate !== undefined && key !== undefined && !belongsTo(certificate, key)) {
    faults.add('UPSTREAM_CLIENT_CERT', 'must be the certificate of UPSTREAM_CLIENT_KEY')
  }
  return defined({
    clientAuth: method === 'auto' ? undefined : method,
    clientKeyId: keyId,
    clientCertificate: certificate,
  })
}

function usedBy(name: Credential): string {
  const methods = Object.entries(METHODS)
    .filter(([, { needs, takes = [] }]) => [...needs, ...takes].includes(name))
    .map(([method]) => method)
  return `it is used by ${methods.join(', ')}`
}
