/*
 * past: judging what a client says of the past (floor 4).
 *
 * Own      the judged messages are a copy in the arena
 * Threads  none is shared
 */
#ifndef MM_SERVICE_PAST_H
#define MM_SERVICE_PAST_H

#include "detect/detector.h"

/* Text of earlier messages that is judged for one request: some 40,000 Japanese characters, which
 * take about 2 ms. */
enum { MM_PAST_JUDGED_MAX_BYTES = 128 * 1024 };

/*
 * Gives the messages of the customer that have no analysis their severity and sentiment, the latest
 * first, as far as MM_PAST_JUDGED_MAX_BYTES reach; so that repeated anger, escalation and earlier
 * harassment are seen also without stored history. MM_NO_MEMORY.
 */
enum mm_status mm_past_judge(struct mm_detector *detector, struct mm_past *past,
			     struct mm_arena *arena, struct mm_error *err);

#endif
