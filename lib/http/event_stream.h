/*
 * event_stream: server-sent events as the reply to a request (floor 5).
 *
 * Shape    struct mm_event_stream is a plain value, on the handler's stack or in the arena. The head
 *          of the reply leaves with the first event; before, the handler may still answer in JSON
 * Units    milliseconds of the monotonic clock
 * Own      the request is borrowed
 * Errors   a client that has left is the audience's MM_AUDIENCE_LEFT
 * Threads  the handler's
 * Source   WHATWG HTML, "Server-sent events", 9.2.5 and 9.2.7 (comments keep a connection alive)
 *
 * A client that takes too long to take what is sent counts as gone: MM_EVENT_PATIENCE_MS of waiting in
 * all, and MM_STREAM_WRITE_SECONDS at one go.
 */
#ifndef MM_HTTP_EVENT_STREAM_H
#define MM_HTTP_EVENT_STREAM_H

#include "base/buffer.h"
#include "base/clock.h"
#include "http/request.h"
#include "http/serve_stream.h"
#include "service/audience.h"

enum {
	MM_EVENT_HEARTBEAT_MS = 10000, /* of silence, then a comment is sent */
	MM_EVENT_PATIENCE_MS = 10000,
};

/* Where the bytes go; tests put their own in the place of serve_stream's. */
struct mm_event_output {
	bool (*begin)(const struct mm_request *request);
	bool (*write)(const struct mm_request *request, const char *bytes, size_t length);
	enum mm_stream_peer (*look)(const struct mm_request *request);
};

struct mm_event_stream {
	const struct mm_request *request;
	const struct mm_clock *clock;
	struct mm_event_output output;
	struct mm_buffer bytes; /* of the event that is being sent */
	int64_t written_mono_ms;
	int64_t spent_ms; /* in waiting for the client to read */
	bool has_begun;
	bool has_left;
};

/* A stream that has sent nothing; over serve_stream.h. */
void mm_event_stream_init(struct mm_event_stream *stream, const struct mm_request *request,
			  const struct mm_clock *clock);

/* The stream as what a service sends to, which borrows it. */
struct mm_audience mm_event_stream_audience(struct mm_event_stream *stream);

/*
 * The handler's last call, with what its service returned; returns it for serve(). An error after
 * the first event becomes the event `error`, with the JSON that the reply would have had.
 */
enum mm_status mm_event_stream_end(struct mm_event_stream *stream, enum mm_status status,
				   const struct mm_error *err);

#endif
