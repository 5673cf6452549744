-- wrk: each request takes the next line of a file, once; the run ends in errors when the
-- file is too short, so make more lines than requests.
--   wrk ... -s load.lua URL -- payments FILE   a line is a PAYMENT-SIGNATURE header
--   wrk ... -s load.lua URL -- bodies FILE     a line is the body of a POST
local requests, at = {}, 0

function init(args)
  local kind = args[1]
  for line in io.lines(args[2]) do
    if kind == "payments" then
      requests[#requests + 1] = wrk.format("GET", nil, { ["PAYMENT-SIGNATURE"] = line })
    else
      requests[#requests + 1] = wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, line)
    end
  end
end

function request()
  at = at + 1
  if at > #requests then
    wrk.thread:stop()
    return requests[#requests]
  end
  return requests[at]
end


-- the same as in plain.lua: wrk reads one script
function done(summary, latency, requests)
  io.write(string.format('{"requests":%d,"seconds":%.3f,"non_2xx":%d,"socket_errors":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
