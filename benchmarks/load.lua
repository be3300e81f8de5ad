-- What wrk sends and tells. Environment of the run:
--   LOAD_BODIES   file with one request body per line; they are sent in turn
--   LOAD_PROOFS   file with one DPoP proof per line, each sent once; the run ends when they are used up
--   LOAD_HEADERS  file with one "name: value" per line, sent with every request
-- The result is one line of JSON. Bodies are not looked at here (that would cost the machine more than the answers):
-- the number of bytes received is compared with what the right answers have, and a second client compares contents.

local function lines(path)
  local found = {}
  if path then
    for line in io.lines(path) do
      if line ~= "" then table.insert(found, line) end
    end
  end
  return found
end

local ffi = require("ffi")
ffi.cdef [[ typedef struct { long seconds; long nanos; } moment; int clock_gettime(int clock, moment *now); ]]

local function micros_now()
  local now = ffi.new("moment[1]")
  ffi.C.clock_gettime(0, now)
  return tonumber(now[0].seconds) * 1e6 + tonumber(now[0].nanos) / 1e3
end

local requests, proofs, at = {}, nil, 0
local threads = {}
began, latest = 0, 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local headers = {}
  for _, line in ipairs(lines(os.getenv("LOAD_HEADERS"))) do
    local name, value = line:match("^([^:]+): (.*)$")
    headers[name] = value
  end
  local bodies = lines(os.getenv("LOAD_BODIES"))
  proofs = os.getenv("LOAD_PROOFS") and lines(os.getenv("LOAD_PROOFS"))
  if #bodies == 0 then
    requests = { wrk.format("GET", nil, headers) }
  elseif proofs then
    for index, proof in ipairs(proofs) do
      headers["DPoP"] = proof
      requests[index] = wrk.format("POST", nil, headers, bodies[(index - 1) % #bodies + 1])
    end
  else
    for index, body in ipairs(bodies) do
      requests[index] = wrk.format("POST", nil, headers, body)
    end
  end
end

function request()
  at = at + 1
  if proofs then
    latest = micros_now()
    if began == 0 then began = latest end
    if at >= #requests then wrk.thread:stop() end
    return requests[math.min(at, #requests)]
  end
  if at > #requests then at = 1 end
  return requests[at]
end

function done(summary, latency, _)
  local errors, micros = summary.errors, summary.duration
  local first, last = threads[1]:get("began"), threads[1]:get("latest")
  if last > first then micros = last - first end -- wrk waits to the end even when the proofs are used up
  io.write(string.format(
    '\nRESULT {"requests": %d, "bytes": %d, "micros": %d, "p50": %.1f, "p99": %.1f, "max": %.1f, "status": %d, "other": %d}\n',
    summary.requests, summary.bytes, micros, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
