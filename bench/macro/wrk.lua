-- Prints the totals of a wrk run as one line of JSON. wrk calls done() once, after the load; a script that defines
-- nothing else costs nothing per request.
function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    'totals {"requests":%d,"bytes":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"errors":'
      .. '{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
