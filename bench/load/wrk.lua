-- Sends one job's requests and checks every response. The job is a Lua file that bench/load.ts
-- writes; its path is the script's argument. Prints one line of JSON at the end.

local job, callers, next_caller, fixed
failures = 0

function init(args)
  job = dofile(args[1])
  if job.rate then pace(job.rate) end
  next_caller = 0
  callers = {}
  if job.callers then
    for line in io.lines(job.callers) do callers[#callers + 1] = line end
  else
    fixed = wrk.format('POST', job.path, job.headers, job.body)
  end
end

-- An open-loop rate of requests, independent of response times; delayed ones are sent as soon as a
-- connection is free. wrk calls `delay` before each request, and its timers have milliseconds: requests
-- due in the same one are sent together.
function pace(rate)
  local ffi = require('ffi')
  ffi.cdef('typedef struct { long s; long us; } timeval_t; int gettimeofday(timeval_t *, void *);')
  local clock = ffi.new('timeval_t')
  local function now()
    ffi.C.gettimeofday(clock, nil)
    return tonumber(clock.s) * 1000 + tonumber(clock.us) / 1000
  end
  local due = now()
  function delay()
    due = due + 1000 / rate
    return math.max(0, math.floor(due - now()))
  end
end

-- Far apart, so that neighbours in memory are not neighbours in time.
local STRIDE = 7919

function request()
  if fixed then return fixed end
  next_caller = (next_caller + STRIDE) % #callers
  local column = 1
  for value in string.gmatch(callers[next_caller + 1], '[^\t]+') do
    job.headers[job.columns[column]] = value
    column = column + 1
  end
  return wrk.format('POST', job.path, job.headers, job.body)
end

function response(status, headers, body)
  if status ~= 200 or not string.find(body, job.expect, 1, true) then failures = failures + 1 end
end

local threads = {}

function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency)
  local failed = 0
  for _, thread in ipairs(threads) do failed = failed + thread:get('failures') end
  local errors = summary.errors
  failed = failed + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('\n{"requests":%d,"seconds":%f,"failures":%d,"p50Ms":%f,"p99Ms":%f}\n',
    summary.requests, summary.duration / 1e6, failed,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
