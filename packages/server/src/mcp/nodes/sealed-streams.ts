/** Streams with encrypted entries: they contain responses, elicitation requests and codes. */

import type { KeyRing } from '../../crypto/key-ring.ts'
import type { StreamEntry, Streams } from '../../store/streams.ts'

const PURPOSE = 'stream'

/** Binds entries to their stream; skips those of another stream or an unknown encryption key. */
export function createSealedStreams(streams: Streams, keyRing: KeyRing): Streams {
  function open(key: string, { id, value }: StreamEntry): StreamEntry[] {
    const opened = keyRing.open(PURPOSE, value, key)
    return opened === undefined ? [] : [{ id, value: opened }]
  }

  return {
    append: (key, value, options) =>
      streams.append(key, keyRing.seal(PURPOSE, value, key), options),
    async read(key, after, limit) {
      const entries = await streams.read(key, after, limit)
      return entries.flatMap((entry) => open(key, entry))
    },
    last: streams.last,
    trim: streams.trim,
    follow: (keys, onEntry, after) =>
      streams.follow(
        keys,
        (key, sealed) => {
          for (const entry of open(key, sealed)) onEntry(key, entry)
        },
        after,
      ),
  }
}
