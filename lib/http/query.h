/*
 * query: the parameters after a "?" (floor 5).
 *
 * Shape    name=value pairs with "&" between
 * Own      values are borrowed from the query
 * Errors   MM_BAD_INPUT, "invalid_field", for a parameter that stands there twice
 * Threads  any
 *
 * Values are taken as they were sent: percent-encoding is not undone. Right for ids, numbers and
 * words, which need none; wrong for free text.
 */
#ifndef MM_HTTP_QUERY_H
#define MM_HTTP_QUERY_H

#include <stddef.h>

#include "base/status.h"

/* Finds a parameter. Absent: *text_out NULL, *length_out 0. */
enum mm_status mm_query_text(const char *query, const char *name, const char **text_out,
			     size_t *length_out, struct mm_error *err);

#endif
