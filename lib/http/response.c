/*
 * response: a reply into bytes, and an error into a reply. It writes to a buffer, never to a socket.
 */
#include "config.h"

#include <string.h>

#include "http/response.h"
#include "text/json_writer.h"

enum {
	BODY_INITIAL = 1024,
	BODY_MAX = 16 * 1024 * 1024,
	STATUS_NO_CONTENT = 204,
	STATUS_UNAVAILABLE = 503,
};

static const struct {
	int status;
	const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

static const char *reason_of(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

void mm_response_init(struct mm_response *response, struct mm_arena *arena)
{
	*response = (struct mm_response){
	    .status = 200,
	    .content_type = "application/json",
	    .no_store = true,
	};
	mm_buffer_init(&response->body, BODY_INITIAL, BODY_MAX, arena);
}

void mm_response_write_error(struct mm_buffer *body, enum mm_status status,
			     const struct mm_error *err, const char *request_id)
{
	bool has_message = err && err->message[0];
	struct mm_json_writer writer;

	mm_json_writer_init(&writer, body);
	mm_json_object_begin(&writer);
	mm_json_pair_text(&writer, "error", has_message ? err->message : mm_status_message(status));
	mm_json_pair_text(&writer, "code", err && err->code ? err->code : mm_status_code(status));
	if (err && err->field[0]) {
		mm_json_key(&writer, "details");
		mm_json_object_begin(&writer);
		mm_json_pair_text(&writer, "field", err->field);
		mm_json_object_end(&writer);
	}
	mm_json_pair_text(&writer, "request_id", request_id);
	mm_json_object_end(&writer);
}

void mm_response_set_error(struct mm_response *response, enum mm_status status,
			   const struct mm_error *err, const char *request_id)
{
	response->status = mm_status_http(status);
	response->content_type = "application/json";
	response->no_store = true;
	if (response->status == STATUS_UNAVAILABLE && response->retry_after_seconds == 0)
		response->retry_after_seconds = 1;
	mm_buffer_clear(&response->body);
	mm_response_write_error(&response->body, status, err, request_id);
}

static void write_head(const struct mm_response *response, const char *request_id,
		       struct mm_buffer *out)
{
	mm_buffer_printf(out, "Status: %d %s\r\n", response->status, reason_of(response->status));
	if (response->status != STATUS_NO_CONTENT)
		mm_buffer_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n",
				 response->content_type, response->body.length);
	if (response->allow && response->allow[0])
		mm_buffer_printf(out, "Allow: %s\r\n", response->allow);
	if (response->retry_after_seconds > 0)
		mm_buffer_printf(out, "Retry-After: %d\r\n", response->retry_after_seconds);
	if (response->is_replayed)
		mm_buffer_add_text(out, "Idempotent-Replayed: true\r\n");
	if (response->no_store)
		mm_buffer_add_text(out, "Cache-Control: no-store\r\n");
	mm_buffer_add_text(out, "X-Content-Type-Options: nosniff\r\nX-Request-Id: ");
	mm_buffer_add_text(out, request_id);
	mm_buffer_add_text(out, "\r\n\r\n");
}

enum mm_status mm_response_write(const struct mm_response *response, const char *request_id,
				 bool has_body, struct mm_buffer *out)
{
	write_head(response, request_id, out);
	if (has_body && response->status != STATUS_NO_CONTENT)
		mm_buffer_add(out, response->body.data, response->body.length);
	return out->has_failed || response->body.has_failed ? MM_NO_MEMORY : MM_OK;
}
