/*
 * retry_after: how long a provider wants to be left alone (floor 3).
 *
 * Units    milliseconds from now
 * Errors   -1 for what cannot be read; a moment that has passed is 0
 * Threads  any
 * Source   RFC 9110, section 10.2.3, with all three forms of a date (5.6.7); google.protobuf.Duration
 *          in JSON ("38s", "45.837906927s")
 */
#ifndef MM_AI_RETRY_AFTER_H
#define MM_AI_RETRY_AFTER_H

#include <stdint.h>

/* The value of Retry-After: seconds (a fraction is taken too) or an HTTP date. */
int64_t mm_retry_after_parse(const char *value, int64_t now_utc_ms);

/* Gemini's retryDelay. */
int64_t mm_retry_delay_parse(const char *value);

/* An HTTP date as ms UTC, or -1. */
int64_t mm_http_date_parse(const char *value);

#endif
