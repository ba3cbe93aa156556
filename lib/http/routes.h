/*
 * routes: from method and path to a handler (floor 5).
 *
 * Shape    an executable has one const table of struct mm_route; a look-up gives a plain value. GET
 *          implies HEAD, every known path implies OPTIONS.
 * Units    -
 * Own      tables are constants; a match borrows from them.
 * Errors   MM_NOT_FOUND for a path that is in no row, MM_BAD_METHOD for one that has other methods.
 * Threads  everything is read only.
 * Source   RFC 9110 sections 9.3.2 (HEAD), 9.3.7 (OPTIONS), 10.2.1 (Allow).
 *
 * A table is searched from top to bottom, row by row: right for the handful of rows an executable
 * has, wrong for hundreds. Paths are compared byte by byte, but for one "{id}" in a row's path, which
 * stands for one or more bytes without a slash; the handler checks what they are.
 */
#ifndef MM_HTTP_ROUTES_H
#define MM_HTTP_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "http/request.h"
#include "http/response.h"

/*
 * Answers one request. MM_OK: the response is sent as it is. Anything else: the response is
 * replaced by the error's JSON (err is zeroed before the call; its cause goes to the log); Allow
 * and retry_after_seconds set before the return are kept. Called by many threads at once.
 */
typedef enum mm_status (*mm_handler)(void *context, const struct mm_request *, struct mm_response *,
				     struct mm_error *);

struct mm_route {
	const char *method; /* upper case; HEAD and OPTIONS need no row */
	const char *path;   /* whole, such as "/api/chat" or "/api/conversations/{id}/messages" */
	mm_handler handler;
	bool takes_body; /* the body is read, and must be JSON */
	/*
	 * The handler never waits for anything but the processor: no database, no journal, no lock
	 * that is held long. Such requests are served one after the other without changing threads,
	 * which makes the difference for handlers of some microseconds. False is always right.
	 */
	bool is_quick;
};

enum { MM_ALLOW_TEXT = 96 };

struct mm_route_match {
	const struct mm_route *route; /* NULL unless a handler is to be called */
	bool is_head;                 /* the reply's body stays here */
	bool is_options;              /* 204 with Allow; route is NULL */
	char allow[MM_ALLOW_TEXT];    /* for OPTIONS and MM_BAD_METHOD, "" otherwise */
	const char *id;               /* what {id} stands for, in the path; NULL without */
	size_t id_length;
};

/*
 * Looks method and path up. MM_OK, MM_NOT_FOUND or MM_BAD_METHOD; the match is always filled.
 */
enum mm_status mm_route_find(const struct mm_route *routes, size_t count, const char *method,
			     const char *path, struct mm_route_match *match_out);

#endif
