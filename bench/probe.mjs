/** Loaded into the measured server: measures its allocations and the files it enters. */

import { createServer } from 'node:http'
import { Session } from 'node:inspector/promises'
import { GCProfiler } from 'node:v8'

const session = new Session()
session.connect()

/** Records what each collection leaves. */
let collections = new GCProfiler()

/** Bytes in use in the generation of new objects, and in that of old ones. */
function usedIn({ heapSpaceStatistics }) {
  const used = (name) =>
    heapSpaceStatistics.find(({ spaceName }) => spaceName === name)?.spaceUsedSize ?? 0
  return { young: used('new_space'), old: used('old_space') }
}

/** The bytes that V8 copied in a collection of new objects. */
function survivorsOf({ beforeGC, afterGC }) {
  const [before, after] = [usedIn(beforeGC), usedIn(afterGC)]
  return after.young + Math.max(0, after.old - before.old)
}

const actions = {
  '/survivors/start'() {
    collections = new GCProfiler()
    collections.start()
  },
  '/survivors/stop'() {
    const young = collections.stop().statistics.filter(({ gcType }) => gcType === 'Scavenge')
    return young.map(survivorsOf).reduce((sum, bytes) => sum + bytes, 0)
  },
  async '/heap/start'() {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: 8192,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
  },
  async '/heap/stop'() {
    const { profile } = await session.post('HeapProfiler.stopSampling')
    const byFile = {}
    const visit = ({ callFrame, selfSize, children }) => {
      byFile[callFrame.url] = (byFile[callFrame.url] ?? 0) + selfSize
      for (const child of children) visit(child)
    }
    visit(profile.head)
    return byFile
  },
  async '/coverage/start'() {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    await session.post('Profiler.takePreciseCoverage')
  },
  async '/coverage/stop'() {
    const { result } = await session.post('Profiler.takePreciseCoverage')
    await session.post('Profiler.stopPreciseCoverage')
    const named = ({ functions }) => functions.filter(({ functionName }) => functionName !== '')
    const most = (script) => Math.max(0, ...named(script).map(({ ranges }) => ranges[0].count))
    return Object.fromEntries(result.map((script) => [script.url, most(script)]))
  },
}

createServer(async (request, response) => {
  const answer = await actions[request.url]?.()
  response.end(JSON.stringify(answer ?? {}))
}).listen(Number(process.env.PROBE_PORT), '127.0.0.1')
