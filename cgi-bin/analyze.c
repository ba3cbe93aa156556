/* analyze.fcgi: POST /api/analyze judges messages and keeps the judgements. */
#include "config.h"

#include "http/deferral.h"
#include "http/serve.h"
#include "service/analyze.h"

static enum mm_status post_analyze(void *context, const struct mm_request *request,
				   struct mm_response *response, struct mm_error *err)
{
	struct mm_runtime *runtime = context;
	const struct mm_json_limits limits = {.max_bytes =
						  (size_t)runtime->settings->server.max_body_bytes};
	const struct mm_deferral deferral = mm_request_deferral(request);
	struct mm_analyze_request analyze = {.request_id = request->request_id,
					     .deferral = &deferral};
	const enum mm_status status = mm_json_parse(request->body, request->body_length, &limits,
						    &analyze.body, request->arena, err);
	if (status != MM_OK)
		return status;
	return mm_analyze(runtime, &analyze, &response->body, request->arena, err);
}

static enum mm_status start(const struct mm_settings *settings, void **context_out,
			    struct mm_error *err)
{
	struct mm_runtime *runtime;
	const enum mm_status status =
	    mm_runtime_open(settings, "analyze",
			    MM_NEED_DETECTOR | MM_NEED_JOURNAL | MM_NEED_REPLIES, &runtime, err);
	if (status == MM_OK)
		*context_out = runtime;
	return status;
}

static void stop(void *context)
{
	mm_runtime_close(context);
}

static void reload(void *context)
{
	mm_runtime_reload(context);
}

static const struct mm_route routes[] = {
    {.method = "POST",
     .path = "/api/analyze",
     .handler = post_analyze,
     .takes_body = true,
     .is_quick = true},
};

int main(void)
{
	static const struct mm_app app = {.name = "analyze",
					  .routes = routes,
					  .route_count = sizeof routes / sizeof routes[0],
					  .start = start,
					  .stop = stop,
					  .reload = reload};
	return mm_serve(&app);
}
