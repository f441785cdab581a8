/** The names of keys in Redis. */

export interface RedisKeys {
  document(key: string): string
  counter(key: string): string
  /** The keys of a lock and of its last fencing token, in one slot of a cluster. */
  lock(key: string): readonly [holder: string, lastToken: string]
  stream(key: string): string
  /** The byte counter of a stream. */
  streamBytes(key: string): string
}

/**
 * Puts the prefix before every key. A hash tag (`{…}`) in a key is kept, so that the keys of one
 * session lie in one slot of Redis Cluster.
 * @throws TypeError for a prefix with braces, which would become the hash tag of every key
 */
export function createRedisKeys(prefix: string): RedisKeys {
  if (/[{}]/.test(prefix)) throw new TypeError('The key prefix must not contain braces.')
  return {
    document: (key) => prefix + key,
    counter: (key) => `${prefix}count:${key}`,
    lock(key) {
      const tagged = /\{[^}]+\}/.test(key) ? key : `{${key}}`
      return [`${prefix}lock:${tagged}`, `${prefix}fence:${tagged}`]
    },
    stream: (key) => `${prefix}stream:${key}`,
    streamBytes: (key) => `${prefix}stream-bytes:${key}`,
  }
}
