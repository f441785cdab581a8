/** Holds streams open as long as clients do: detects buffering and idle timeouts of proxies. */

import { type Finding, ok, skipped, warning, wrong } from '../findings.ts'
import { AnswerTooLong } from '../http.ts'
import { noAccess } from '../needs.ts'
import { reasonOf } from '../reasons.ts'
import { notOpened, type OpenedStream, SOON_MS, STREAM_KINDS } from '../stream-kinds.ts'
import type { Check, Visit } from '../visit.ts'

/** The server sends keep-alives every 15 seconds; proxies time out after 60 at the earliest. */
const LONGEST_SILENCE_MS = 35_000
/** Shorter durations show no keep-alive. */
const SHOWS_KEEP_ALIVE_MS = 16_000

const UNBUFFERED =
  'Turn buffering off for event streams: nginx `proxy_buffering off;` (and `gzip off;`), which the server requests by X-Accel-Buffering, unless proxy_ignore_headers ignores that; Apache `flushpackets=on`; Caddy `flush_interval -1`.'

const UNCUT =
  'Raise the time-outs of streams: nginx `proxy_read_timeout 1h; proxy_send_timeout 1h;` and no keepalive_timeout below it; AWS ALB idle_timeout 4000; HAProxy `timeout tunnel 1h` and `timeout server 1h`; Cloudflare and others limit streams by plan.'

export const streams: Check = {
  id: 'streams',
  title: 'Streams',
  async run(visit) {
    const obstacle = noAccess(visit)
    if (obstacle !== undefined) return [obstacle]
    visit.say(`Holding streams open for ${visit.holdMs / 1000} s …`)
    const found = await Promise.all(STREAM_KINDS.map((open) => hold(visit, open)))
    return found.flat()
  },
}

async function hold(
  visit: Visit,
  open: (typeof STREAM_KINDS)[number],
): Promise<readonly Finding[]> {
  let opened: OpenedStream | Finding
  try {
    opened = await open(visit)
  } catch (error) {
    return [notOpened(error)]
  }
  if ('verdict' in opened) return [opened]
  try {
    const found = (await atOnce(opened)) ?? (await overTime(visit, opened))
    return [tooLong(opened) ?? found]
  } finally {
    await opened.close()
  }
}

/** Reported first: all other findings follow from it. */
function tooLong({ name, stream: { failure } }: OpenedStream): Finding | undefined {
  if (!(failure instanceof AnswerTooLong)) return undefined
  const { what, mend } = reasonOf(failure)
  return wrong(`${name}: ${what}.`, mend)
}

/** The faults at the start of a stream. */
async function atOnce(opened: OpenedStream): Promise<Finding | undefined> {
  const { name, stream, first, trigger } = opened
  const type = stream.headers.get('content-type') ?? 'nothing'
  if (stream.status !== 200 || !type.includes('text/event-stream')) {
    const mend = 'Forward the response of the nodes; see their log.'
    return wrong(`${name} is answered with ${stream.status} and ${type}.`, mend)
  }
  const encoding = stream.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') {
    return wrong(
      `${name} is compressed (${encoding}): the compressor withholds events until its buffer is full.`,
      'Do not compress text/event-stream: nginx `gzip off;`, or leave it out of gzip_types.',
    )
  }
  if (!(await stream.receives(first, SOON_MS))) {
    return wrong(`${name}: nothing arrives: a proxy withholds events.`, UNBUFFERED)
  }
  // A stream that was cut meanwhile is a different fault.
  if (trigger !== undefined && !(await trigger()) && stream.endedMs === undefined) {
    return wrong(
      `${name}: a large response arrives incomplete: a proxy withholds the rest.`,
      UNBUFFERED,
    )
  }
  return undefined
}

async function overTime({ holdMs }: Visit, opened: OpenedStream): Promise<Finding> {
  const { name, stream, trigger } = opened
  await stream.hold(holdMs)
  const { endedMs, longestSilenceMs } = stream
  if (endedMs !== undefined && /"resultType":\s*"complete"/.test(stream.text)) {
    return skipped(`${name}: the server has no events for this stream, and ended it.`)
  }
  if (endedMs !== undefined) {
    return wrong(`${name} is cut off after ${Math.round(endedMs / 1000)} s.`, UNCUT)
  }
  const silence = Math.round(longestSilenceMs / 1000)
  if (longestSilenceMs > LONGEST_SILENCE_MS) {
    const quiet = `${name}: nothing arrives for ${silence} s, although the server sends a keep-alive every 15 s.`
    return warning(quiet, UNBUFFERED)
  }
  if (trigger !== undefined && !(await trigger())) {
    return wrong(`${name} is open after ${holdMs / 1000} s, but no longer delivers events.`, UNCUT)
  }
  const kept =
    holdMs < SHOWS_KEEP_ALIVE_MS
      ? 'too short to see keep-alives'
      : `never idle for more than ${silence} s`
  return ok(`${name}: events arrive at once, open for ${holdMs / 1000} s, ${kept}.`)
}
