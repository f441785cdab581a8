/** Loaded into the measured server: measures its allocations and the files it enters. */

import { createServer } from 'node:http'
import { Session } from 'node:inspector/promises'

const session = new Session()
session.connect()

const actions = {
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
