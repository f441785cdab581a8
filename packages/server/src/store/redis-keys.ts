/** The names of keys in Redis. */

export type RedisKeys = ReturnType<typeof createRedisKeys>

/**
 * Prepends the prefix to every key. Keeps a hash tag (`{…}`) in a key, so that the keys of one
 * session are in one slot of Redis Cluster.
 * @throws TypeError for a prefix with braces, which would become the hash tag of every key
 */
export function createRedisKeys(prefix: string) {
  if (/[{}]/.test(prefix)) throw new TypeError('The key prefix must not contain braces.')
  return {
    document: (key: string): string => prefix + key,
    counter: (key: string): string => `${prefix}count:${key}`,
    /** The keys of a lock and of its last fencing token, in one slot of a cluster. */
    lock(key: string): readonly [holder: string, lastToken: string] {
      const tagged = /\{[^}]+\}/.test(key) ? key : `{${key}}`
      return [`${prefix}lock:${tagged}`, `${prefix}fence:${tagged}`]
    },
    stream: (key: string): string => `${prefix}stream:${key}`,
    /** The byte counter of a stream. */
    streamBytes: (key: string): string => `${prefix}stream-bytes:${key}`,
  }
}
