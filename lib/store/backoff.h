/*
 * backoff: how long to leave a failing service alone (floor 3).
 *
 * Shape    a plain value. The pause doubles from min to max with every failure in a row; a random
 *          half of it is jitter, so that many processes do not come back at the same moment.
 * Units    ms; moments are of the monotonic clock
 * Errors   none
 * Threads  one at a time
 */
#ifndef MM_STORE_BACKOFF_H
#define MM_STORE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct mm_backoff {
	int64_t min_ms; /* 0: never pauses */
	int64_t max_ms;
	int64_t pause_ms; /* of the latest failure; 0 after a success */
	int64_t until_mono_ms;
	uint64_t random;
};

/* Starts without a pause. */
void mm_backoff_init(struct mm_backoff *backoff, int64_t min_ms, int64_t max_ms);

/* Counts a failure at now and sets the moment of the next try. */
void mm_backoff_fail(struct mm_backoff *backoff, int64_t now_mono_ms);

/* Forgets the failures. */
void mm_backoff_succeed(struct mm_backoff *backoff);

/* Whether the next try is still ahead. */
bool mm_backoff_is_waiting(const struct mm_backoff *backoff, int64_t now_mono_ms);

#endif
