/** The operations that both document forms in Redis implement. Keys include the prefix. */

import type { Store } from './port.ts'

export type RedisDocuments = Pick<Store, 'get' | 'getAll' | 'set' | 'create' | 'patch' | 'take'>
