/** Client authentication at the provider's token endpoint (RFC 6749, 2.3; RFC 7523; RFC 8705). */

import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { importPKCS8 } from 'jose'
import {
  type ClientAuth,
  ClientSecretPost,
  modifyAssertion,
  None,
  PrivateKeyJwt,
  type ServerMetadata,
  TlsClientAuth,
} from 'openid-client'
import type { Dialect } from '../config.ts'

export interface ClientAuthenticationOptions {
  /** Without a secret or a key, the client is public. */
  readonly clientSecret?: string | undefined
  /** Default: according to the provider's metadata, else `basic`; `none` without a secret. */
  readonly clientAuth?:
    | 'basic'
    | 'basic-raw'
    | 'post'
    | 'private_key_jwt'
    | 'tls'
    | 'none'
    | undefined
  readonly clientKey?: { readonly key: KeyObject; readonly algorithm: string } | undefined
  readonly clientKeyId?: string | undefined
  /** PEM; assertions carry its thumbprint (`x5t#S256`: RFC 7515, 4.1.8). */
  readonly clientCertificate?: string | undefined
  readonly dialect?: Pick<Dialect, 'assertsForTokenEndpoint' | 'rsaAlgorithm'> | undefined
}

/**
 * `audience` is the `aud` of assertions. Default: the provider's issuer (RFC 7523bis), or the token
 * endpoint if its dialect requires that.
 */
export function clientAuthentication(
  options: ClientAuthenticationOptions,
  audience?: string,
): ClientAuth {
  const { clientAuth, clientSecret } = options
  if (clientAuth === 'private_key_jwt') return byAssertion(options, audience)
  if (clientAuth === 'tls') return TlsClientAuth()
  if (clientAuth === 'none' || clientSecret === undefined) return None()
  switch (clientAuth) {
    case 'basic':
      return basic(clientSecret, formEncoded)
    case 'basic-raw':
      return basic(clientSecret, (text) => text)
    case 'post':
      return ClientSecretPost(clientSecret)
    default:
      return bySecret(clientSecret)
  }
}

function bySecret(clientSecret: string): ClientAuth {
  const inHeader = basic(clientSecret, formEncoded)
  const inBody = ClientSecretPost(clientSecret)
  return (server, client, body, headers) => {
    // OpenID Connect Discovery 1.0 §3: client_secret_basic when the metadata names none.
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const usePost =
      !methods.includes('client_secret_basic') && methods.includes('client_secret_post')
    return (usePost ? inBody : inHeader)(server, client, body, headers)
  }
}

/**
 * RFC 6749 §2.3.1. The library also encodes `-`, `.` and `_`; a provider that does not decode them
 * sees another client id.
 */
function basic(clientSecret: string, encode: (text: string) => string): ClientAuth {
  return (_server, { client_id: id }, _body, headers) => {
    const credentials = Buffer.from(`${encode(id)}:${encode(clientSecret)}`)
    headers.set('authorization', `Basic ${credentials.toString('base64')}`)
  }
}

/** Form-encodes a value (URL Standard, "application/x-www-form-urlencoded serializing"). */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

function byAssertion(
  { clientKey, clientKeyId, clientCertificate, dialect = {} }: ClientAuthenticationOptions,
  audience: string | undefined,
): ClientAuth {
  if (clientKey === undefined) throw new TypeError('private_key_jwt needs a key')
  const { key } = clientKey
  const isPlainRsa = clientKey.algorithm === 'RS256'
  const algorithm = (isPlainRsa && dialect.rsaAlgorithm) || clientKey.algorithm
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const thumbprint = clientCertificate && thumbprintOf(clientCertificate)
  const audienceOf = ({ token_endpoint: endpoint }: ServerMetadata) =>
    audience ?? (dialect.assertsForTokenEndpoint && endpoint)
  let imported: Promise<ClientAuthFor> | undefined

  /** Imports the key once; the audience is known only once the metadata is available. */
  const importAuth = async (): Promise<ClientAuthFor> => {
    const named = clientKeyId === undefined ? {} : { kid: clientKeyId }
    const imported = { key: await importPKCS8(pem, algorithm), ...named }
    return (server) =>
      PrivateKeyJwt(imported, {
        [modifyAssertion](header, payload) {
          header.typ = 'JWT'
          if (thumbprint !== undefined) header['x5t#S256'] = thumbprint
          const aud = audienceOf(server)
          if (aud) payload.aud = aud
        },
      })
  }
  return async (server, client, body, headers) => {
    imported ??= importAuth()
    await (await imported)(server)(server, client, body, headers)
  }
}

type ClientAuthFor = (server: ServerMetadata) => ClientAuth

function thumbprintOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url')
}
