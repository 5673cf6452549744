-- wrk: asks an LND for one invoice after another; prints one line of JSON like load.lua.
--   wrk ... -s invoice.lua https://LND/v1/invoices -- MACAROON_IN_HEX
function init(args)
  wrk.method = "POST"
  wrk.headers["Grpc-Metadata-macaroon"] = args[1]
  wrk.body = '{"value_msat":"21000","expiry":"300"}'
end

function done(summary, latency, requests)
  io.write(string.format('{"requests":%d,"seconds":%.3f,"non_2xx":%d,"socket_errors":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
