/** `bank://branches/{city}`: where the demo bank's branches are, and when they are open. */

import { ResourceNotFoundError } from '@mcp-template/server'
import { defineResource } from '../mcp.ts'

const BRANCHES = {
  edinburgh: { address: '7 Napier Street', hours: 'Monday to Friday, 9:00 to 16:00' },
  london: { address: '12 St James Square', hours: 'Monday to Saturday, 9:00 to 17:00' },
  lyon: { address: '3 rue Jacquard', hours: 'Monday to Friday, 9:30 to 16:30' },
}

export default defineResource({
  name: 'branches',
  title: 'Branches',
  description: 'Address and opening hours of the branch in a city.',
  mimeType: 'application/json',
  uri: 'bank://branches/{city}',
  cache: { ttlMs: 60 * 60 * 1000, cacheScope: 'public' },
  complete: { city: (typed) => Object.keys(BRANCHES).filter((city) => city.startsWith(typed)) },
  async read({ uri, variables }) {
    const found = Object.entries(BRANCHES).find(([city]) => city === variables.city)
    if (found === undefined) throw new ResourceNotFoundError(uri.href)
    return JSON.stringify({ city: found[0], ...found[1] })
  },
})
