/* conversations.fcgi: GET /api/conversations/{id}/messages gives a customer what was said. */
#include "config.h"

#include "http/query.h"
#include "http/serve.h"
#include "service/messages.h"

static enum mm_status get_messages(void *context, const struct mm_request *request,
				   struct mm_response *response, struct mm_error *err)
{
	struct mm_messages_request messages = {.conversation_id = request->path_id,
					       .conversation_id_length = request->path_id_length,
					       .authorization = request->authorization};
	enum mm_status status =
	    mm_query_text(request->query, "after", &messages.after, &messages.after_length, err);
	if (status == MM_OK)
		status = mm_query_text(request->query, "limit", &messages.limit,
				       &messages.limit_length, err);
	if (status != MM_OK)
		return status;
	return mm_messages_read(context, &messages, &response->body, request->arena, err);
}

static enum mm_status start(const struct mm_settings *settings, void **context_out,
			    struct mm_error *err)
{
	struct mm_runtime *runtime;
	const enum mm_status status = mm_runtime_open(settings, "conversations",
						      MM_NEED_POOL | MM_NEED_TOKENS, &runtime, err);
	if (status == MM_OK)
		*context_out = runtime;
	return status;
}

static void stop(void *context)
{
	mm_runtime_close(context);
}

static const struct mm_route routes[] = {
    {.method = "GET", .path = "/api/conversations/{id}/messages", .handler = get_messages},
};

int main(void)
{
	static const struct mm_app app = {.name = "conversations",
					  .routes = routes,
					  .route_count = sizeof routes / sizeof routes[0],
					  .start = start,
					  .stop = stop};
	return mm_serve(&app);
}
