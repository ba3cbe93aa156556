/*
 * bench_analyze: POST /api/analyze without a journal: what judging a message costs beside a
 * constant (bench_constant) and beside keeping it (the real analyze.fcgi).
 */
#include "config.h"

#include "http/serve.h"
#include "service/analyze.h"

static enum mm_status post_analyze(void *context, const struct mm_request *request,
				   struct mm_response *response, struct mm_error *err)
{
	const struct mm_json_limits limits = {.max_bytes = 1 << 20};
	struct mm_analyze_request analyze = {.request_id = request->request_id};
	const enum mm_status status = mm_json_parse(request->body, request->body_length, &limits,
						    &analyze.body, request->arena, err);
	if (status != MM_OK)
		return status;
	return mm_analyze(context, &analyze, &response->body, request->arena, err);
}

static enum mm_status start(const struct mm_settings *settings, void **context_out,
			    struct mm_error *err)
{
	struct mm_runtime *runtime;
	const enum mm_status status =
	    mm_runtime_open(settings, "bench", MM_NEED_DETECTOR, &runtime, err);
	if (status == MM_OK)
		*context_out = runtime;
	return status;
}

static void stop(void *context)
{
	mm_runtime_close(context);
}

int main(void)
{
	static const struct mm_route routes[] = {
	    {.method = "POST",
	     .path = "/api/analyze",
	     .handler = post_analyze,
	     .takes_body = true,
	     .is_quick = true},
	};
	static const struct mm_app app = {
	    .name = "bench", .routes = routes, .route_count = 1, .start = start, .stop = stop};
	return mm_serve(&app);
}
