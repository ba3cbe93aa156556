/*
 * request: one HTTP request as the handlers see it (floor 5).
 *
 * Shape    struct mm_request is a plain value of borrowed texts. It is filled in two steps: first
 * the parameters (cheap, enough to choose a route), then, for a route that takes one, the body.
 *          Where parameters and body come from is an interface, struct mm_request_source: serve()
 *          gives libfcgi's, a test gives a table.
 * Units    lengths are bytes; started_mono_ms is the monotonic clock's milliseconds.
 * Own      texts that the source returns are borrowed for as long as the request is served; the
 * body and a made request id live in the arena. Nothing of a request outlives its reply. Errors
 * enum mm_status; outputs are untouched unless MM_OK, except where said. Threads  a request belongs
 * to the thread that serves it. Source   RFC 3875 (parameters' names), RFC 9110 section 8.3 (media
 * type), RFC 8259 section 8.1 (UTF-8).
 */
#ifndef MM_HTTP_REQUEST_H
#define MM_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/status.h"

enum { MM_REQUEST_ID_MAX = 64 };

struct mm_request {
	const char *method;  /* "GET", never NULL */
	const char *path;    /* decoded by nginx, without the query; never NULL */
	const char *path_id; /* what the route's {id} stands for, in `path`; NULL without */
	size_t path_id_length;
	const char *query;           /* after the "?", "" without one */
	const char *content_type;    /* NULL if absent */
	const char *accept;          /* NULL if absent */
	const char *idempotency_key; /* NULL if absent */
	const char *authorization;   /* NULL if absent; never logged */
	const char *request_id; /* nginx's, or made here; [0-9A-Za-z-], 1 to MM_REQUEST_ID_MAX */
	const char *remote_address; /* "" if unknown */
	const char *body;           /* NUL-terminated, "" without one */
	size_t body_length;
	int64_t started_mono_ms;
	struct mm_arena *arena; /* reset after the reply */
	void *turn;             /* for mm_reply_hold(); NULL outside serve() */
};

struct mm_request_source {
	/* The parameter's text, or NULL; borrowed until the request is finished. */
	const char *(*parameter)(void *self, const char *name);
	/* Reads up to size bytes of the body; fewer only at its end; -1 when the peer failed. */
	long (*read)(void *self, char *out, size_t size);
	void *self;
};

/*
 * Fills everything but the body from the source's parameters. Where its REQUEST_ID is absent or
 * malformed an id is made from `ids`.
 * MM_BAD_INPUT: no method or no path; MM_NO_MEMORY. Unlike elsewhere the request is filled in every
 * case, well enough for an error reply and a log line.
 */
enum mm_status mm_request_open(const struct mm_request_source *source, struct mm_id_source *ids,
			       int64_t now_mono_ms, struct mm_request *request,
			       struct mm_arena *arena, struct mm_error *err);

/*
 * Checks the declared length and type, then reads the body into request->arena. An absent or zero
 * length is an empty body of any type.
 * MM_BAD_INPUT: the length is no plain decimal number, or fewer bytes came than it says.
 * MM_TOO_LARGE: more than max_bytes; nothing was allocated or read.
 * MM_BAD_TYPE: not application/json, or a charset other than UTF-8.
 * MM_NO_MEMORY: the arena is full.
 * In every case the caller still drains or closes the connection.
 */
enum mm_status mm_request_read_body(const struct mm_request_source *source, size_t max_bytes,
				    struct mm_request *request, struct mm_error *err);

/* Whether text is a request id that may be logged and sent back as it is. NULL is not. */
bool mm_request_id_is_valid(const char *text);

/* Whether a Content-Type's value is JSON in UTF-8: application/json with any parameters but another
 * charset. NULL is not. */
bool mm_request_type_is_json(const char *content_type);

#endif
