/*
 * guard_leak: does a reply repeat the prompt (floor 3, private to lib/ai)?
 *
 * Shape    letters and digits alone are compared, so that other spaces, line ends, bullets or
 *          capitals hide nothing. A passage is a run of MM_GUARD_PASSAGE such code points
 * Units    places are code points of the reply
 * Own      nothing is returned but plain values
 * Errors   MM_NO_MEMORY, MM_BAD_INPUT
 * Threads  pure
 * Source   R. M. Karp, M. O. Rabin: Efficient randomized pattern-matching algorithms (1987)
 */
#ifndef MM_AI_GUARD_LEAK_H
#define MM_AI_GUARD_LEAK_H

#include <stdbool.h>

#include "ai/guard.h"
#include "text/fold.h"

enum { MM_GUARD_PASSAGE = 32 };

struct mm_guard_leak {
	bool has_canary, has_passage;
	uint32_t start, end; /* of the passage */
};

enum mm_status mm_guard_leak_find(const struct mm_folded *reply, const struct mm_guard_text *prompt,
				  const char *canary, struct mm_guard_leak *out,
				  struct mm_arena *arena, struct mm_error *err);

#endif
