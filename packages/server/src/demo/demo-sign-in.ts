/**
 * The demo provider's interaction: offers the demo accounts, and completes sign-in and consent in
 * one step.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { errors, type Provider } from 'oidc-provider'
import { errorPage, PAGE_HEADERS, signInPage } from './demo-pages.ts'
import { findPerson, PEOPLE } from './people.ts'

const FORM_BYTES = 1024

/** The path of an interaction below the issuer. */
export const INTERACTION_PATH = '/interaction/'

/** Handles an interaction: GET shows the page, POST submits the choice. */
export async function handleInteraction(
  provider: Provider,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  try {
    const { uid, params } = await provider.interactionDetails(req, res)
    // The cookie identifies this browser's interaction; refuses the URL of another one.
    if (req.url !== INTERACTION_PATH + uid) throw new errors.SessionNotFound('another interaction')
    if (req.method === 'GET') return sendPage(res, 200, signInPage(PEOPLE))
    if (req.method !== 'POST') return sendPage(res, 405, errorPage('invalid_request', undefined))
    const person = findPerson((await readForm(req)).get('person') ?? '')
    if (!person) {
      const denied = { error: 'access_denied', error_description: 'The user cancelled the sign-in' }
      return await provider.interactionFinished(req, res, denied)
    }
    const grant = new provider.Grant({ accountId: person.id, clientId: String(params.client_id) })
    grant.addOIDCScope(String(params.scope ?? ''))
    const grantId = await grant.save()
    const result = { login: { accountId: person.id }, consent: { grantId } }
    await provider.interactionFinished(req, res, result)
  } catch (error) {
    if (!(error instanceof errors.OIDCProviderError)) throw error
    sendPage(
      res,
      400,
      errorPage(error.error, 'This sign-in has expired or was already completed. Start again.'),
    )
  }
}

function sendPage(res: ServerResponse, status: number, html: string): void {
  res.writeHead(status, PAGE_HEADERS).end(html)
}

async function readForm(req: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req) {
    size += chunk.length
    if (size > FORM_BYTES) throw new errors.InvalidRequest('form too large')
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString())
}
