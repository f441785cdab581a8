/** The names of keys in Redis. */

export interface RedisKeys {
  document(key: string): string
  counter(key: string): string
  /** A lock and the place of its last fencing token, in one slot of a cluster. */
  lock(key: string): readonly [holder: string, lastToken: string]
  stream(key: string): string
  /** How many bytes were appended to a stream. */
  streamBytes(key: string): string
}

/**
 * Puts the prefix before every key. A hash tag (`{…}`) in a caller's key stays the key's own: all
 * that belongs to one session lies in one slot of Redis Cluster.
 * @throws TypeError for a prefix with braces, which would become everybody's hash tag
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
