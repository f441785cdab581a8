/** What the two ways of keeping documents in Redis have in common. Keys are given in full. */

import type { Store } from './port.ts'

export type RedisDocuments = Pick<Store, 'get' | 'getAll' | 'set' | 'create' | 'patch' | 'take'>
