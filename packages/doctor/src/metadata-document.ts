/** The metadata document of an authorization server, limited to what clients use. */

import { z } from 'zod'
import { type Finding, wrong } from './findings.ts'
import { type Answer, objectIn } from './http.ts'

/** RFC 8414, 2. */
const DOCUMENT = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.string().optional(),
  token_endpoint: z.string().optional(),
  registration_endpoint: z.string().optional(),
  revocation_endpoint: z.string().optional(),
  introspection_endpoint: z.string().optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
  client_id_metadata_document_supported: z.boolean().optional(),
})

export type ServerMetadata = z.infer<typeof DOCUMENT>

/** Parses the metadata; returns the invalid fields otherwise. */
export function readMetadata(
  answer: Answer,
): { readonly metadata: ServerMetadata } | { readonly fault: Finding } {
  const { data, error } = DOCUMENT.safeParse(objectIn(answer))
  if (data !== undefined) return { metadata: data }
  const faults = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  const fault = wrong(
    `The document is invalid for clients (RFC 8414, 2): ${faults.join('; ')}.`,
    'Fix it at the authorization server, or check what answers in its place.',
  )
  return { fault }
}

/** The endpoint URLs in the metadata, by name. */
export function endpointsIn(metadata: ServerMetadata): readonly (readonly [string, string])[] {
  return Object.entries(metadata)
    .filter(([name]) => /_endpoint$|^jwks_uri$/.test(name))
    .map(([name, value]) => [name, String(value)])
}
