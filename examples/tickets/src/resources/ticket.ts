/** `ticket://{id}`: each ticket of the user as a resource, masked as in the tools. */

import { ResourceNotFoundError, UpstreamError } from '@mcp-template/server'
import { defineResource } from '../mcp.ts'
import { suggestIds, type Ticket, ticket } from '../ticket.ts'

export default defineResource({
  name: 'ticket',
  title: 'Ticket',
  description: 'A ticket of the user.',
  uri: 'ticket://{id}',
  output: ticket,
  requires: { login: true, scopes: ['tickets:read'] },
  complete: { id: suggestIds },
  async read({ uri, variables, upstream, signal }) {
    try {
      return await upstream.get<Ticket>('/tickets/{id}', { id: String(variables.id) }, { signal })
    } catch (error) {
      const isMissing = error instanceof UpstreamError && error.code === 'upstream_not_found'
      throw isMissing ? new ResourceNotFoundError(uri.href) : error
    }
  },
})
