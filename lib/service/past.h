/*
 * past: judging what a client says of the past (floor 4).
 *
 * Own      the judged messages are a copy in the arena
 * Threads  none is shared
 */
#ifndef MM_SERVICE_PAST_H
#define MM_SERVICE_PAST_H

#include "detect/detector.h"

/*
 * Gives every message of the customer that has no analysis its severity and sentiment, so that
 * repeated anger and escalation are seen also without stored history. MM_NO_MEMORY.
 */
enum mm_status mm_past_judge(struct mm_detector *detector, struct mm_past *past,
			     struct mm_arena *arena, struct mm_error *err);

#endif
