/* health.fcgi: GET /api/health tells whether the installation can serve; /live, whether this
 * process answers. */
#include "config.h"

#include <stdlib.h>

#include "http/serve.h"
#include "service/health.h"

struct context {
	struct mm_runtime *runtime;
	struct mm_health *health;
};

static enum mm_status get_health(void *self, const struct mm_request *request,
				 struct mm_response *response, struct mm_error *err)
{
	struct context *context = self;
	bool can_serve;
	const enum mm_status status =
	    mm_health_report(context->health, &response->body, &can_serve, request->arena, err);
	if (status != MM_OK || can_serve)
		return status;
	response->status = mm_status_http(MM_BUSY);
	response->retry_after_seconds = 5;
	return MM_OK;
}

static enum mm_status get_live(void *self, const struct mm_request *request,
			       struct mm_response *response, struct mm_error *err)
{
	const struct context *context = self;
	(void)request;
	(void)err;
	mm_health_report_live(context->runtime, &response->body);
	return MM_OK;
}

static void stop(void *self)
{
	struct context *context = self;
	mm_health_free(context->health);
	mm_runtime_close(context->runtime);
	free(context);
}

static enum mm_status start(const struct mm_settings *settings, void **context_out,
			    struct mm_error *err)
{
	struct context *context = calloc(1, sizeof *context);
	if (!context)
		return mm_error_cause(err, MM_NO_MEMORY, "health: no memory");
	enum mm_status status =
	    mm_runtime_open(settings, "health", MM_NEED_POOL, &context->runtime, err);
	if (status == MM_OK)
		status = mm_health_new(context->runtime, &context->health, err);
	if (status != MM_OK) {
		stop(context);
		return status;
	}
	*context_out = context;
	return MM_OK;
}

static const struct mm_route routes[] = {
    {.method = "GET", .path = "/api/health", .handler = get_health},
    {.method = "GET", .path = "/api/health/live", .handler = get_live},
};

int main(void)
{
	static const struct mm_app app = {.name = "health",
					  .routes = routes,
					  .route_count = sizeof routes / sizeof routes[0],
					  .start = start,
					  .stop = stop};
	return mm_serve(&app);
}
