-- post: POSTs the messages of a file in turn and prints the run's figures as one line of JSON.
-- $BENCH_MESSAGES names the file: one JSON body a line.
local bodies, next_body = {}, 0

function init(args)
	for line in io.lines(os.getenv("BENCH_MESSAGES")) do
		bodies[#bodies + 1] = wrk.format("POST", nil, {["Content-Type"] = "application/json"}, line)
	end
end

function request()
	next_body = next_body % #bodies + 1
	return bodies[next_body]
end

function done(summary, latency, requests)
	local errors = summary.errors
	print(string.format('FIGURES {"requests":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f,"failed":%d}',
		summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
		latency:percentile(99) / 1e3,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
