/* event_stream: events into bytes, heartbeats, and who still listens; what is in an event is the
 * services'. */
#include "config.h"

#include "http/event_stream.h"

#include <string.h>

#include "http/response.h"

enum { EVENT_INITIAL = 1024, EVENT_MAX = 1024 * 1024 };

static const char heartbeat[] = ":\n\n";

void mm_event_stream_init(struct mm_event_stream *stream, const struct mm_request *request,
			  const struct mm_clock *clock)
{
	*stream = (struct mm_event_stream){
	    .request = request,
	    .clock = clock,
	    .output = {mm_stream_begin, mm_stream_write, mm_stream_look},
	};
	mm_buffer_init(&stream->bytes, EVENT_INITIAL, EVENT_MAX, request->arena);
}

/* X-Accel-Buffering has nginx hand on each event at once; no-transform keeps proxies off. */
static void add_head(struct mm_event_stream *stream)
{
	mm_buffer_printf(&stream->bytes,
			 "Status: 200 OK\r\nContent-Type: text/event-stream\r\n"
			 "Cache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\n"
			 "X-Content-Type-Options: nosniff\r\nX-Request-Id: %s\r\n\r\n",
			 stream->request->request_id);
}

static bool write_bytes(struct mm_event_stream *stream, const char *bytes, size_t length)
{
	const int64_t began = mm_clock_mono_ms(stream->clock);
	const bool is_ok = stream->output.write(stream->request, bytes, length);

	stream->written_mono_ms = mm_clock_mono_ms(stream->clock);
	stream->spent_ms += stream->written_mono_ms - began;
	stream->has_left = !is_ok || stream->spent_ms > MM_EVENT_PATIENCE_MS;
	return !stream->has_left;
}

/* False: the client has left, or cannot be sent events at all. */
static bool begin(struct mm_event_stream *stream)
{
	if (stream->has_left)
		return false;
	mm_buffer_clear(&stream->bytes);
	if (stream->has_begun)
		return true;
	stream->has_left = !stream->output.begin(stream->request);
	stream->has_begun = !stream->has_left;
	if (stream->has_begun)
		add_head(stream);
	return stream->has_begun;
}

static bool send_event(void *context, const char *event, const char *json, size_t length)
{
	struct mm_event_stream *stream = context;

	if (!begin(stream))
		return false;
	mm_buffer_printf(&stream->bytes, "event: %s\ndata: ", event);
	mm_buffer_add(&stream->bytes, json, length);
	mm_buffer_add_text(&stream->bytes, "\n\n");
	/* Half an event would be taken for a whole one. */
	stream->has_left = stream->bytes.has_failed;
	return !stream->has_left && write_bytes(stream, stream->bytes.data, stream->bytes.length);
}

static enum mm_audience_state wait_for_service(void *context)
{
	static const enum mm_audience_state states[] = {
	    [MM_STREAM_THERE] = MM_AUDIENCE_THERE,
	    [MM_STREAM_GONE] = MM_AUDIENCE_LEFT,
	    [MM_STREAM_STOPPING] = MM_AUDIENCE_SENT_OFF,
	};
	struct mm_event_stream *stream = context;

	if (!stream->has_begun || stream->has_left)
		return stream->has_left ? MM_AUDIENCE_LEFT : MM_AUDIENCE_THERE;
	const enum mm_stream_peer peer = stream->output.look(stream->request);
	stream->has_left = peer == MM_STREAM_GONE;
	const int64_t silent = mm_clock_mono_ms(stream->clock) - stream->written_mono_ms;
	if (peer == MM_STREAM_THERE && silent >= MM_EVENT_HEARTBEAT_MS &&
	    !write_bytes(stream, heartbeat, sizeof(heartbeat) - 1))
		return MM_AUDIENCE_LEFT;
	return states[peer];
}

struct mm_audience mm_event_stream_audience(struct mm_event_stream *stream)
{
	return (struct mm_audience){
	    .send = send_event, .wait = wait_for_service, .context = stream};
}

enum mm_status mm_event_stream_end(struct mm_event_stream *stream, enum mm_status status,
				   const struct mm_error *err)
{
	struct mm_buffer body;

	if (status == MM_OK && stream->has_left && !stream->has_begun)
		return MM_BAD_INPUT; /* a request that does not end */
	if (status == MM_OK || !stream->has_begun || stream->has_left)
		return status;
	mm_buffer_init(&body, EVENT_INITIAL, EVENT_MAX, stream->request->arena);
	mm_response_write_error(&body, status, err, stream->request->request_id);
	if (!body.has_failed)
		send_event(stream, "error", body.data, body.length);
	return status;
}
