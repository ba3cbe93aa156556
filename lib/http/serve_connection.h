/*
 * serve_connection: one FastCGI request of a connection, from its first byte to its reply (floor 5).
 *
 * Shape    struct mm_fcgi is opaque, one a process: what all requests share, and the turns that are
 *          free. A turn is a request under way with its arena and libfcgi's state.
 * Units    -
 * Own      turns belong to struct mm_fcgi and are used again; there are as many as were ever under
 *          way at once.
 * Errors   none reach the caller: they become replies, log lines or a closed connection.
 * Threads  all of it may be shared; a turn is in one thread at a time.
 * Source   the FastCGI 1.0 specification; libfcgi 2.4.2 to 2.4.5. The .c file is the only one that
 *          includes <fcgiapp.h>, and leans on fields that it calls private: tests/fcgi checks each
 *          of the facts.
 */
#ifndef MM_HTTP_SERVE_CONNECTION_H
#define MM_HTTP_SERVE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "http/serve.h"
#include "http/serve_crew.h"

struct mm_fcgi_options {
	const struct mm_app *app;
	void *context; /* the app's */
	size_t max_body_bytes;
	const struct mm_clock *clock;
};

struct mm_fcgi;

/* Prepares libfcgi for the process; once, before the threads. options are copied. */
enum mm_status mm_fcgi_open(const struct mm_fcgi_options *options, struct mm_fcgi **fcgi_out,
			    struct mm_error *err);

/* Streams end before this moment; from any thread. */
void mm_fcgi_stop_streams(struct mm_fcgi *fcgi, int64_t deadline_mono_ms);

/* Frees everything; no turn is under way or held. */
void mm_fcgi_close(struct mm_fcgi *fcgi);

/*
 * Reads one request from fd, calls its handler, replies, unless the handler holds the reply. Steps
 * aside from the seat before the handler unless the route is quick. For struct mm_crew_options, as
 * is the next; fcgi is a struct mm_fcgi *.
 */
enum mm_turn mm_fcgi_serve(void *fcgi, int fd, bool is_last, struct mm_seat *seat);

/* Sends the reply of a held turn. */
int mm_fcgi_finish(void *fcgi, struct mm_task *task, bool is_last);

#endif
