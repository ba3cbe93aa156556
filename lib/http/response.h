/*
 * response: one HTTP reply, and its form on the wire (floor 5).
 *
 * Shape    struct mm_response is a plain value that a handler fills: a status and a body of JSON.
 * The one place where an error becomes a reply is mm_response_set_error(). Units    lengths are
 * bytes; retry_after_seconds is seconds. Own      the body lives in the arena given to
 * mm_response_init(); content_type and allow are borrowed until the reply is sent (constants, or
 * the request's arena). Errors   the body's buffer remembers a failure; mm_response_write() reports
 * it as MM_NO_MEMORY. Threads  a response belongs to the thread that serves its request. Source RFC
 * 3875 section 6 (the head as CGI writes it), RFC 9110 (Allow, Retry-After).
 */
#ifndef MM_HTTP_RESPONSE_H
#define MM_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"

struct mm_response {
	int status;               /* 200 unless the handler says otherwise */
	struct mm_buffer body;    /* append to it; up to 16 MiB */
	const char *content_type; /* "application/json" unless the handler says otherwise */
	const char *allow;        /* NULL: no Allow header */
	int retry_after_seconds;  /* 0: no Retry-After header */
	bool is_replayed;         /* adds Idempotent-Replayed: true */
	bool no_store;            /* true unless the handler says otherwise */
};

/* An empty 200 whose body grows in the arena. */
void mm_response_init(struct mm_response *response, struct mm_arena *arena);

/*
 * Appends the JSON of an error:
 * {"error": message, "code": code, "details": {"field": …}, "request_id": …}; details only where a
 * field is named. err may be NULL: then the status's own message and code are used. err->cause
 * never leaves the process.
 */
void mm_response_write_error(struct mm_buffer *body, enum mm_status status,
			     const struct mm_error *err, const char *request_id);

/*
 * Replaces whatever the response holds by the JSON of an error. A 503 gets Retry-After: 1 where
 * nothing longer was set.
 */
void mm_response_set_error(struct mm_response *response, enum mm_status status,
			   const struct mm_error *err, const char *request_id);

/*
 * Appends head and body as a CGI program writes them. has_body false (HEAD) keeps the length that
 * GET would have and leaves out the bytes; a 204 has neither length nor type.
 * MM_NO_MEMORY: body or out failed to grow; out is of no use then.
 */
enum mm_status mm_response_write(const struct mm_response *response, const char *request_id,
				 bool has_body, struct mm_buffer *out);

#endif
