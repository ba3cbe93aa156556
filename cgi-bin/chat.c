/* chat.fcgi: POST /api/chat answers a customer, in one document or in events, or hands the
 * conversation to a person. */
#include "config.h"

#include "base/clock.h"
#include "http/accept.h"
#include "http/deferral.h"
#include "http/event_stream.h"
#include "http/serve.h"
#include "service/chat.h"

static enum mm_status stream_chat(struct mm_runtime *runtime, const struct mm_chat_request *chat,
				  const struct mm_request *request, struct mm_response *response,
				  struct mm_error *err)
{
	struct mm_event_stream stream;
	mm_event_stream_init(&stream, request, &mm_clock_system);
	const struct mm_audience audience = mm_event_stream_audience(&stream);
	struct mm_chat_request streamed = *chat;
	streamed.audience = &audience;
	return mm_event_stream_end(
	    &stream, mm_chat(runtime, &streamed, &response->body, request->arena, err), err);
}

/* A conversation that is busy is so for seconds. */
static enum mm_status tell_when(enum mm_status status, struct mm_response *response)
{
	if (status == MM_CONFLICT)
		response->retry_after_seconds = 1;
	return status;
}

static enum mm_status post_chat(void *context, const struct mm_request *request,
				struct mm_response *response, struct mm_error *err)
{
	struct mm_runtime *runtime = context;
	const struct mm_json_limits limits = {.max_bytes =
						  (size_t)runtime->settings->server.max_body_bytes};
	const struct mm_deferral deferral = mm_request_deferral(request);
	struct mm_chat_request chat = {.authorization = request->authorization,
				       .idempotency_key = request->idempotency_key,
				       .is_replayed_out = &response->is_replayed,
				       .request_id = request->request_id,
				       .started_mono_ms = request->started_mono_ms,
				       .deferral = &deferral};
	const enum mm_status status = mm_json_parse(request->body, request->body_length, &limits,
						    &chat.body, request->arena, err);
	if (status != MM_OK)
		return status;
	if (mm_accept_wants_events(request->accept))
		return tell_when(stream_chat(runtime, &chat, request, response, err), response);
	return tell_when(mm_chat(runtime, &chat, &response->body, request->arena, err), response);
}

static enum mm_status start(const struct mm_settings *settings, void **context_out,
			    struct mm_error *err)
{
	struct mm_runtime *runtime;
	const enum mm_status status =
	    mm_runtime_open(settings, "chat",
			    MM_NEED_DETECTOR | MM_NEED_JOURNAL | MM_NEED_POOL | MM_NEED_TOKENS |
				MM_NEED_REPLIES | MM_NEED_LIBRARY,
			    &runtime, err);
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
    {.method = "POST", .path = "/api/chat", .handler = post_chat, .takes_body = true},
};

int main(void)
{
	static const struct mm_app app = {.name = "chat",
					  .routes = routes,
					  .route_count = sizeof routes / sizeof routes[0],
					  .start = start,
					  .stop = stop,
					  .reload = reload};
	return mm_serve(&app);
}
